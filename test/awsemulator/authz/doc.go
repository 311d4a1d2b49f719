// Package authz decides whether AWS would let a caller do something: it parses
// IAM policy documents as strictly as IAM does at CreatePolicy and evaluates
// them as the IAM documentation describes ("Policy evaluation logic", "IAM JSON
// policy elements reference", "Grammar of the IAM JSON policy language").
//
// The package is pure: it keeps no state, reads no clock and calls nothing.
// Whatever a decision depends on is in the [Request] (action, resource and the
// condition context) and in the [Policies].
//
// It is a judge as well as a part of the emulator, and so it never guesses. An
// element, condition operator, condition key or policy variable that it does
// not know makes [Parse] fail; a request context that holds a key it does not
// know makes [Evaluate] fail. It ignores nothing.
//
// # Where the documentation leaves room
//
// These readings could not be checked against AWS itself:
//
//   - The value of a policy variable is never read as a wildcard.
//   - In Resource a "*" matches colons at every position; the documentation
//     promises that only for one that ends a part of the ARN.
//   - A missing variable in NotResource spares nothing, by analogy with the
//     documented rule that negated operators match a variable without value.
//   - ForAnyValue fails on a missing key with IfExists too.
//   - NotPrincipal spares a caller only when its account, its role and itself
//     are all listed.
//   - A role trusts a service by the service's name only, not by "*".
//   - Spaces inside of strings count towards the size of a policy.
//
// A [Document] is compiled once by Parse or ParseTrust, is immutable, and may
// be evaluated by any number of goroutines.
package authz
