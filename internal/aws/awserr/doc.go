// Package awserr says what a failed call to AWS means: Classify decides how the
// operator handles it, UserMessage explains it to people, and Action names the
// permission that it needed. It is the only place that knows AWS's error codes by
// class.
//
// An error that the operator finds out by itself implements Classified.
package awserr
