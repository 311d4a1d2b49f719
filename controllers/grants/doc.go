// Package grants holds what the controllers of SessionAccesses and of principals share:
// recorded grants, compared, intersected and put into the terms of the policy
// compiler; the pending revocations of AWSAccounts, which look like SessionAccesses
// that are being deleted; and the two stores in which the reconcilers meet.
//
// PrincipalStore holds per principal which SessionAccess at which serial its policies
// hold, and what went wrong. ReachabilityStore holds per SessionAccess what was found
// on its nodes. Nothing in them survives a restart: while the stores hold nothing for
// an object, its status stays as it is.
package grants
