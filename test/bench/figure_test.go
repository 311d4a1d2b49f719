package main

import (
	"strings"
	"testing"
	"time"
)

func TestFigureHoldsUpToItsBound(t *testing.T) {
	for name, c := range map[string]struct {
		figure figure
		holds  bool
	}{
		"below":           {within("n", 4, 5), true},
		"at the bound":    {within("n", 5, 5), true},
		"above":           {within("n", 6, 5), false},
		"a bound of zero": {within("n", 1, 0), false},
		"without a bound": {count("n", 1_000_000), true},
	} {
		if c.figure.holds() != c.holds {
			t.Errorf("%s: got %v", name, c.figure.holds())
		}
	}
}

func TestEveryBrokenBoundIsNamed(t *testing.T) {
	figures := []figure{
		{row: "restart", name: "calls", value: 11, most: 10},
		{row: "restart", name: "writes", value: 0, most: 0},
		{row: "revoke", name: "position", value: 6, most: 5},
	}
	err := broken(figures)
	if err == nil {
		t.Fatal("no bound is reported as broken")
	}
	want := "restart: calls is 11, and the bound is 10\nrevoke: position is 6, and the bound is 5"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := broken(figures[1:2]); err != nil {
		t.Errorf("got %v for bounds that hold", err)
	}
}

func TestTableNamesARowOnce(t *testing.T) {
	figures := []figure{within("calls", 12, 10), millis("time", 1500*time.Microsecond), seconds("CPU", 2*time.Second)}
	for i := range figures {
		figures[i].row = "restart"
	}
	var out strings.Builder
	printTable(&out, figures)
	if n := strings.Count(out.String(), "restart"); n != 1 {
		t.Errorf("the row is named %d times in\n%s", n, out.String())
	}
	for _, shown := range []string{"12", "at most 10", "EXCEEDED", "1.50 ms", "2 s"} {
		if !strings.Contains(out.String(), shown) {
			t.Errorf("%q is missing in\n%s", shown, out.String())
		}
	}
}

func TestARowIsALineForBenchstat(t *testing.T) {
	figures := used{cpu: 1500 * time.Millisecond, peak: 64 << 20, took: time.Second}.figures("until it ends", bounds{})
	for i := range figures {
		figures[i].row = "onboard 200 users, 200 grants"
	}
	figures = append(figures, notMeasured("restart", "make bench-large"))
	got := benchmarks(figures)
	want := "BenchmarkOnboard200Users200Grants 1 0 iam-calls/op 0 other-calls/op 0 aws-writes/op 0 status-writes/op " +
		"0 object-writes/op 0 events/op 1 sec/op 1.5 cpu-sec/op 67108864 peak-B"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
