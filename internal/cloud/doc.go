// Package cloud is an AWS account as the operator sees it: credentials and
// clients, the request limiter, the classes of AWS's errors, the quotas, and
// the mirror of what IAM holds.
//
// A Pool makes one Account per account id. An Account reads and writes; its
// Mirror answers from memory. Everything the package writes lies under the
// IAM path of one owner (see Ownership); a write to any other policy is
// refused before a request is sent.
//
// # Proof
//
// IAM is eventually consistent: for about ConsistencyWindow a read may still
// answer with what was, and a write whose answer was lost may still take
// effect. The mirror therefore keeps, for every entry, when it was read and
// when this process last wrote to it. A view says Proven when nothing written
// by this process, or by one before it, can make the entry untrue any more:
//
//   - the last write to it was our own and AWS acknowledged it, and no write
//     of another value and of unknown effect went out less than a window
//     before it, or
//   - it was read, and that read began at least a window after our last
//     possible write to it and after the Account was made.
//
// What others do to the account is seen by the next Refresh.
package cloud
