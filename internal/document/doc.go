// Package document renders SessionDocuments as SSM documents, Session schema
// version 1.0, and reports whether two such documents mean the same. It is
// pure: it has no client and no clock.
package document
