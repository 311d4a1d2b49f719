#!/usr/bin/env bash
# Server-side apply: after a list of a CRD turns from atomic to a map, a removed
# entry stays.
#
# A guess: x-kubernetes-list-type is about who may own which entry. One owner
# alone, as with Flux or Argo CD, sees no difference: what leaves the manifest
# leaves the object. The other way round, map to atomic, it is so.
# What is so: ownership of an atomic list is one field. After the CRD makes it a
# map (or a set), the first apply that leaves an entry out does not remove it,
# and from then on the entry has no owner: no later apply removes it. Where
# entries are principals or targets, that access stays. Applying the unchanged
# manifest once under the new schema first makes the removal work.
#
# Controls: map to map, and map to atomic.
#
# Module: sigs.k8s.io/structured-merge-diff/v6 v6.4.2, the merge of the
# Kubernetes API server. Run on 2026-11-29 with Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26

require sigs.k8s.io/structured-merge-diff/v6 v6.4.2
MOD
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// oneVersion converts nothing: the CRD keeps its version.
type oneVersion struct{}

func (oneVersion) Convert(v *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return v, nil
}
func (oneVersion) IsMissingVersionError(error) bool { return false }

func schema(list string) typed.ParseableType {
	parser, err := typed.NewParser(typed.YAMLObject(`
types:
- name: access
  map:
    fields:
    - name: principals
      type:
        list:
          elementType: {namedType: principal}
          elementRelationship: ` + list + `
- name: principal
  map:
    fields:
    - name: name
      type: {scalar: string}
`))
	check(err)
	return parser.Type("access")
}

type step struct {
	schema   typed.ParseableType
	manifest string
}

// after is the object once one manager has applied all manifests.
func after(steps ...step) string {
	updater := &merge.Updater{Converter: oneVersion{}}
	managers := fieldpath.ManagedFields{}
	var live any = map[string]any{}
	for _, s := range steps {
		before, err := s.schema.FromUnstructured(live)
		check(err)
		var content any
		check(json.Unmarshal([]byte(s.manifest), &content))
		manifest, err := s.schema.FromUnstructured(content)
		check(err)
		object, owners, err := updater.Apply(before, manifest, "v1", managers, "flux", false)
		check(err)
		managers = owners
		if object != nil {
			live = object.AsValue().Unstructured()
		}
	}
	text, err := json.Marshal(live)
	check(err)
	return string(text)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Println("structured-merge-diff v6.4.2")
	atomic, byName := schema("atomic"), schema("associative\n          keys: [name]")
	const both, one = `{"principals":[{"name":"user01"},{"name":"user02"}]}`, `{"principals":[{"name":"user01"}]}`
	changed := false
	for _, c := range []struct{ what, got, want string }{
		{"map, then map", after(step{byName, both}, step{byName, one}), one},
		{"map, then atomic", after(step{byName, both}, step{atomic, one}), one},
		{"atomic, then map", after(step{atomic, both}, step{byName, one}), both},
		{"atomic, then map, applied again", after(step{atomic, both}, step{byName, one}, step{byName, one}), both},
		{"atomic, then map with the unchanged manifest first", after(step{atomic, both}, step{byName, both}, step{byName, one}), one},
	} {
		fmt.Printf("%s, user02 left out: %s\n", c.what, c.got)
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
