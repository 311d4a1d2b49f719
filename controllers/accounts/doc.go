// Package accounts holds which AWSAccounts there are, which of them this manager
// works on, and what each allows an object.
//
// Registry holds the accounts that were verified in this process; an account that is
// not in it is not written to. Shard divides the AWSAccounts among several managers
// of one cluster by labels. Inputs and Check decide whether an object may use the
// AWSAccount that it names, the same for every kind. Readiness reports ready once
// the caches are filled and, where this manager leads, every AWSAccount was checked
// once.
package accounts
