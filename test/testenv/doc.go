// Package testenv runs the operator against a real Kubernetes API server and an emulated
// AWS: for the tests that need both, and for the commands that show or measure the
// operator at work.
//
// A Cluster is a control plane with the project's CRDs. It takes some ten seconds to
// start, so the tests of a package share one, which Main borrows or starts: "make test"
// lends control planes to the packages, to each package one that no other uses at the
// time. An Env is what one test has to itself on a Cluster: an emulated AWS, and managers
// that run in this process or as processes of their own. It takes milliseconds.
//
// Managers watch the whole cluster, as they do in production. So there is one Env at a
// time on a Cluster: a second Start waits until the first Env is closed, and Close
// removes every object of the project's kinds, whatever finalizers it has. Namespaces
// stay, because a control plane needs seconds to delete one: a later test finds them
// empty, and Env.Namespace sets the labels that the test wants.
//
// Nothing here sleeps or polls. Waits for Kubernetes objects use a watch, and waits for
// calls to AWS use the emulator's log. Both last as long as the context allows and never
// longer than Patience.
package testenv

import "time"

// Patience bounds every wait for something that happens by itself. It is far
// longer than anything takes, because all cores may be busy with other tests.
const Patience = 2 * time.Minute
