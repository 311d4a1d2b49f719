// Package wire translates between AWS's protocols and the Go SDK's own input
// and output types: the query protocol of IAM and STS, the EC2 variant of it,
// and JSON 1.1 of SSM. Shapes are read from those types by reflection, so an
// operation that the SDK knows needs no description here, and none can drift.
package wire
