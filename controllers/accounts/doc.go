// Package accounts holds the AWSAccounts of the cluster: which there are, which of them
// this manager works on, which are verified, and what each allows an object.
//
// Registry holds the accounts that were verified in this process; an account that is
// not in it is not written to. Shard divides the AWSAccounts among several managers
// of one cluster by labels. Gather reads what decides whether an object may use the
// AWSAccount that it names, the same for every kind; package admission decides by it.
// Readiness reports ready once the caches are filled and, where this manager leads,
// every AWSAccount was checked once.
package accounts
