// Package document renders SessionDocuments as the documents of AWS, Session
// schema version 1.0, and tells whether two such documents say the same. It is
// pure: it has no client and no clock.
package document
