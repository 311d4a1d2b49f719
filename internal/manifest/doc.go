// Package manifest reads manifests as kubectl does, and validates objects of the
// operator's kinds as an API server does: it runs the schemas and rules of the
// CustomResourceDefinitions itself. It calls no API server.
package manifest
