// Package check explains why a session cannot reach a node, and what to do
// about it, from the facts that were read about the node, its network, its
// role, its region and the session documents in use.
//
// It is pure: no context, no client, and the time is one of the [Facts]. The
// same facts give the same checks, in whatever order their lists are.
//
// [Judge] makes every [Check] that applies to a node, causes before symptoms,
// so that [FirstFailure] is what to fix first. A fact that could not be read
// makes the checks that need it [NotChecked]; none of them passes without it.
// [Summarize] counts the results of many nodes.
//
// [NeedsConnectionStatus], [NeedsNetwork] and [PermissionsNeeded] report which
// facts are worth the calls that read them.
package check
