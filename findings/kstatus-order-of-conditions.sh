#!/usr/bin/env bash
# kstatus: the order of conditions decides between InProgress and Failed.
#
# A guess: conditions are a map by type (listType=map), so their order says
# nothing, and Stalled, an error that needs intervention, wins over Reconciling.
# What is so: kstatus takes the first of the two that is True. The same object
# is InProgress or Failed by the order in which the controller appended its
# conditions. helm --wait and Flux then keep waiting, or give up. And kstatus compares
# the observedGeneration of the status alone: a Ready=True whose own
# observedGeneration is old counts as Current.
#
# Controls: each condition alone gives what it says, and an old
# status.observedGeneration gives InProgress.
#
# Module: github.com/fluxcd/cli-utils v1.3.0. Run on 2026-11-29 with Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/fluxcd/cli-utils v1.3.0
	k8s.io/apimachinery v0.37.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func condition(kind string, generation int64) any {
	return map[string]any{"type": kind, "status": "True", "reason": kind, "message": "m", "observedGeneration": generation}
}

func judge(observed int64, conditions ...any) string {
	content := map[string]any{"conditions": conditions}
	if observed != 0 {
		content["observedGeneration"] = observed
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.dev/v1", "kind": "Access",
		"metadata": map[string]any{"name": "a", "namespace": "n", "generation": int64(2)},
		"status":   content,
	}})
	if err != nil {
		return "error " + err.Error()
	}
	return result.Status.String()
}

func main() {
	fmt.Println("cli-utils v1.3.0")
	changed := false
	for _, c := range []struct{ what, got, want string }{
		{"Reconciling", judge(2, condition("Reconciling", 2)), "InProgress"},
		{"Stalled", judge(2, condition("Stalled", 2)), "Failed"},
		{"Reconciling, Stalled", judge(2, condition("Reconciling", 2), condition("Stalled", 2)), "InProgress"},
		{"Stalled, Reconciling", judge(2, condition("Stalled", 2), condition("Reconciling", 2)), "Failed"},
		{"Ready, status of generation 1", judge(1, condition("Ready", 2)), "InProgress"},
		{"Ready of generation 1, status without", judge(0, condition("Ready", 1)), "Current"},
	} {
		fmt.Printf("%s: %s\n", c.what, c.got)
		if c.got != c.want {
			fmt.Fprintln(os.Stderr, "CHANGED, was", c.want)
			changed = true
		}
	}
	if changed {
		os.Exit(1)
	}
}
GO
GOFLAGS=-mod=mod go run .
