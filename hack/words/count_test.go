package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPhrasesAreWholeWordsInAnyCase(t *testing.T) {
	phrases, terms := [][]string{{"told"}, {"of", "which"}}, [][]string{{"policy"}}
	var c count
	found := c.add("Told of a policy, of which the rest is untold.", phrases, terms)
	if !slices.Equal(found, []string{"told", "of which"}) || c.words != 10 || c.phrases != 2 || c.terms != 1 {
		t.Errorf("found %q, counted %+v", found, c)
	}
	if rate := c.rate(c.phrases); rate != 2000 {
		t.Errorf("the rate is %v", rate)
	}
}

func TestCommentsForProgramsAreNotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.go")
	text := "// Package x is told.\npackage x\n\n//go:noinline\nfunc told() {} // +told\n\n/* told\n   twice */\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := readComments(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []line{{1, "Package x is told."}, {7, "told"}, {8, "twice */"}}
	if !slices.Equal(lines, want) {
		t.Errorf("got %+v, want %+v", lines, want)
	}
}
