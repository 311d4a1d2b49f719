package main

import (
	"io"
	"path/filepath"
	"strings"
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

func TestTheLargeSuiteIsMeasuredOnlyWhenAskedFor(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{{nil, false}, {[]string{"--all"}, true}, {[]string{"--suite=large"}, true}, {[]string{"--suite=busy"}, false}} {
		o, err := parseOptions(c.args, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.measures(large(o.size)); got != c.want {
			t.Errorf("%q: got %v", c.args, got)
		}
	}
}

func TestTheTableHasTheRowsThatAreNotMeasured(t *testing.T) {
	o, err := parseOptions([]string{"--suite=large", "--manager=" + filepath.Join(t.TempDir(), "absent")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(t.Context(), o, &out, io.Discard); err == nil {
		t.Error("it runs without a manager")
	}
	if want := "not measured: run go run ./test/bench --suite=busy"; strings.Count(out.String(), want) != 3 {
		t.Errorf("%q is not there for the three rows of the suite busy in\n%s", want, out.String())
	}
}
