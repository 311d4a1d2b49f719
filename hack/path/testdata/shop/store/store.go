// Package store has the ends.
package store

// Write is an end.
func Write(n int) { beyond(n) }

// beyond is behind the end.
func beyond(int) {}
