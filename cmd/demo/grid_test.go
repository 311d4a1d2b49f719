package main

import (
	"slices"
	"strings"
	"testing"
)

func TestGridNamesEveryCellThatIsNotAsDeclared(t *testing.T) {
	people, machines := []string{"a", "b"}, []string{"X", "Y"}
	want := declared(people, machines, map[string]string{"a": "X", "b": "Y"})
	got := declared(people, machines, map[string]string{"a": "X", "b": "X"})
	if differences := want.differences(want); len(differences) != 0 {
		t.Errorf("a grid differs from itself: %q", differences)
	}
	expected := []string{
		`b on X: "AccessDenied" was declared, and AWS answered "session opens".`,
		`b on Y: "session opens" was declared, and AWS answered "AccessDenied".`,
	}
	if differences := got.differences(want); !slices.Equal(differences, expected) {
		t.Errorf("got %q, want %q", differences, expected)
	}
}

func TestCellWithoutAnAnswerIsNotAsDeclared(t *testing.T) {
	want := declared([]string{"a"}, []string{"X"}, nil)
	if len(newGrid([]string{"a"}, []string{"X"}).differences(want)) != 1 {
		t.Error("a cell without an answer passes for one that is denied")
	}
}

func TestGridIsAlignedInColumns(t *testing.T) {
	var out strings.Builder
	declared([]string{"a", "long"}, []string{"X", "Y"}, map[string]string{"a": "X"}).print(&out)
	want := "       X               Y\na      session opens   AccessDenied\nlong   AccessDenied    AccessDenied\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
