// Package declared says what manifests declare: the policies that the operator would write
// for each principal of an account without its policies, and what it would refuse. It calls
// the operator's own decisions, and neither a cluster nor AWS.
//
// New takes the objects. World.Resolve decides on each of them, and World.Policies compiles
// what was granted.
package declared
