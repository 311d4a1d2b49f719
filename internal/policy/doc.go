// Package policy turns grants of Session Manager access into the IAM policy
// documents of one principal, and answers questions about them.
//
// It is pure: no context, no client, no randomness, and the time is passed in.
// The same grants, in whatever order, give the same bytes.
//
// [Compile] unites the live grants of a principal into one document, or into
// the fewest that the size quota allows, and says which writes lead there from
// what IAM holds now, in an order that never leaves a gap.
//
// The other files answer questions about grants: [BroaderAccess], [SessionPrefixOverlaps],
// [Covers] and [OwnerOf].
package policy
