package main

import (
	"slices"
	"strings"
	"testing"
)

func TestTheManagerIsMeasuredAsItIsDeployed(t *testing.T) {
	environ, err := deployedEnvironment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(environ, func(s string) bool { return strings.HasPrefix(s, "GOMEMLIMIT=") && s != "GOMEMLIMIT=" }) {
		t.Errorf("the Deployment sets no memory limit for Go: %v", environ)
	}
}
