// Package grants holds what the controllers of SessionAccesses and of principals share:
// recorded grants, compared, intersected and put into the terms of the policy
// compiler; and the two stores in which the reconcilers meet.
//
// A [Record] is the recorded access of a SessionAccess, in its own status or as a pending
// revocation in that of an AWSAccount. A [Revocation] is what of a record is being taken
// away. The reconcilers work on these two, wherever they are stored.
//
// PrincipalStore holds per principal which SessionAccess at which serial its policies
// hold, and what went wrong. ReachabilityStore holds per SessionAccess what was found
// on its nodes. Nothing in them survives a restart: while the stores hold nothing for
// an object, its status stays as it is.
package grants
