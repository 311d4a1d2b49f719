// Package objectcache holds what the manager's cache keeps of objects, and a client whose
// reads are never older than its own writes.
//
// An object for which nothing is recorded, and nothing was ever written to AWS, is
// cached as a stub: who it is, its status, and the small fields of its spec that decide
// about other objects, or by which events find it. Its reconciler reads it whole once its
// namespace may use the account that it names. An object with a record is cached with its
// whole spec. So a tenant whom no account allows cannot fill the memory of the manager,
// however many objects it creates, and however large they are.
//
// Client never reads an object as it was before the client's own last patch of it. The
// cache gets a patch a little later. A reconcile in between would take the former
// status for the stored one, come to that status again and write nothing; the stored
// status would stay, because a status write wakes no reconciler. controller-runtime's
// own consistency of reads and writes does not serve here: it would keep a second
// cache, of metadata, because patches ask for no more of their answer.
package objectcache
