// Package check says why a node cannot be reached by a session, and what to
// do about it, from what was read of the node, its network, its role, its
// region and the session documents in use.
//
// It is pure: no context, no client, and the time is one of the [Facts]. The
// same facts, in whatever order their lists are, give the same checks.
//
// [Judge] makes every [Check] that applies to a node, causes before symptoms,
// so that [FirstFailure] is what to mend first. A fact that could not be read
// makes the checks that need it [NotChecked]; none of them passes by it.
// [Summarize] counts the verdicts on many nodes.
//
// [NeedsConnectionStatus], [NeedsNetwork] and [PermissionsNeeded] tell whoever
// gathers the facts which of them are worth their calls.
package check
