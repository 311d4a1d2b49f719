// Package invariants judges the operator from outside while it is disturbed.
//
// A Harness is an emulated AWS, a cluster and what was declared in it. Its Observer
// holds a naive model of access: it computes who may open a session on which
// node with which document by walking through all declarations, one after the
// other. It shares no code with the compiler of policies. At every state of IAM
// it asks the emulator, which evaluates the real policy documents, the same
// questions: no user may have more access than was declared since the last rest.
// At rest the answers are equal, the status of every object says what the model
// expects, nothing is left over, and nothing that the operator does not own has
// changed.
//
// A CrashPoint stops a manager at its n-th call, as if its process had been killed
// there. A WatchPartition hides from it what happens.
package invariants
