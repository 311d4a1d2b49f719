// Package iam is the IAM of one emulated account: users, groups, roles,
// managed policies and what ties them together. Its state is immutable, every
// change makes a new one that shares what stayed, so that a lagging reader, an
// observer and a page of ten thousand policies all cost little.
package iam
