// Package ssm is Session Manager and what belongs to it, of one account in one
// region: sessions, managed nodes and documents.
package ssm
