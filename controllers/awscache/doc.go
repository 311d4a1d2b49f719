// Package awscache holds caches of what was read from AWS for the statuses of many
// objects: each thing is read once in a resync of its account, however many objects ask
// for it.
package awscache
