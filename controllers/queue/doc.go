// Package queue holds the work queue of every controller that calls AWS, with its
// priorities, the triggers and watches that fill it, and the index by which the objects
// are found that an event concerns.
//
// Accounts take turns, and so do the tenants of an account; each may keep only so many
// workers. An account that does not answer therefore delays no other account, and a tenant
// with much to do delays no other tenant. Package fair decides the order. What puts
// revocations before grants is in revocations_first.go.
package queue
