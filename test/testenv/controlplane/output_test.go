package controlplane

import (
	"bytes"
	"strings"
	"testing"
)

func TestOutputPassesAllOnAndKeepsTheEnd(t *testing.T) {
	var log bytes.Buffer
	out := newOutput(&log)
	want := strings.Repeat("x", tailSize) + "the end"
	for _, part := range strings.SplitAfter(want, "xxx") {
		if _, err := out.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if log.String() != want {
		t.Errorf("the log holds %d bytes, want %d", log.Len(), len(want))
	}
	if got := out.tail(); got != want[len(want)-tailSize:] {
		t.Errorf("the tail ends with %q and has %d bytes", got[max(0, len(got)-10):], len(got))
	}
}
