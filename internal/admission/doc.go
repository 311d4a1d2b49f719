// Package admission decides whether an object may have what it declares: whether its
// AWSAccount allows its namespace, what the guardrails allow, and what a SessionAccess
// grants once its references are resolved. All of it is pure, so that a command-line tool
// decides as the operator does.
package admission
