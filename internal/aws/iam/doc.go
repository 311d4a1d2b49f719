// Package iam is the IAM of an AWS account: a cache of what it holds, reads and
// writes of the operator's policies, the quotas, and the roles of nodes.
//
// A Pool makes one Account per account id. An Account reads and writes; its
// Cache answers from memory. Everything the package writes lies under the IAM
// path of one owner (see Ownership). The package refuses a write to any other
// policy before it sends a request.
//
// # Proof
//
// IAM is eventually consistent: for about awsclient.ConsistencyWindow a read may return
// stale data, and a write whose answer was lost may still take effect. The
// cache therefore records for every entry when it was read and when this
// process last wrote to it. A view says Proven when no write by this process,
// or by an earlier one, can still change the entry:
//
//   - this process made the last write to it, AWS acknowledged that write, and
//     no write of another value and of unknown effect went out less than a
//     window before it, or
//   - a read of it began at least a window after the last write to it that this
//     process may have made, and after the Account was made.
//
// The next Refresh sees what others change in the account.
package iam
