#!/usr/bin/env bash
# CRD, format date-time: what the API server stores the controller cannot read.
#
# A guess: controller-gen writes format: date-time for a metav1.Time, so what
# passes the schema is a time for the controller.
# What is so: the check of the format folds case, ignores what follows a second
# "t", takes any character before the fraction and any offset. metav1.Time reads
# RFC 3339 strictly. A stored "2026-12-01t00:00:00z" fails to decode, and a
# typed list of the kind fails with it, so every other object of the kind is
# unread, too. A CEL rule that uses the field as a time refuses such a value.
#
# Controls: a time with Z or an offset passes both; one without a zone, or of
# February 30, passes neither.
#
# Modules: k8s.io/kube-openapi v0.0.0-20260821135717-be32def86098 (the API
# server's formats) and k8s.io/apimachinery v0.37.0. Run on 2026-11-29 with
# Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26

require (
	k8s.io/apimachinery v0.37.0
	k8s.io/kube-openapi v0.0.0-20260821135717-be32def86098
)
MOD
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

func main() {
	fmt.Println("kube-openapi v0.0.0-20260821135717-be32def86098, apimachinery v0.37.0")
	changed := false
	for _, c := range []struct {
		text             string
		schema, readable bool
	}{
		{"2026-12-01T00:00:00Z", true, true},
		{"2026-12-01T09:00:00+09:00", true, true},
		{"2026-12-01T00:00:00", false, false},
		{"2026-02-30T00:00:00Z", false, false},
		{"2026-12-01t00:00:00z", true, false},
		{"2026-12-01T00:00:00x5Z", true, false},
		{"2026-12-01T00:00:00+99:99", true, false},
		{"2026-12-01T00:00:00ZT", true, false},
	} {
		schema := strfmt.Default.Validates("date-time", c.text)
		quoted, _ := json.Marshal(c.text)
		var t metav1.Time
		readable := json.Unmarshal(quoted, &t) == nil
		fmt.Printf("%-28s schema %-5v controller %v\n", c.text, schema, readable)
		if schema != c.schema || readable != c.readable {
			fmt.Fprintln(os.Stderr, "CHANGED, was", c.schema, c.readable)
			changed = true
		}
	}
	if changed {
		os.Exit(1)
	}
}
GO
GOFLAGS=-mod=mod go run .
