package main

import (
	"io"
	"testing"
)

func TestSizesThatCannotBeMeasuredAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--users=2"}, {"--large=0"}, {"--principals=0"}, {"--principals=10", "--grants=9"}, {"--suite=loud"}, {"quiet"},
	} {
		if _, err := parseOptions(args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	if _, err := parseOptions(nil, io.Discard); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}
