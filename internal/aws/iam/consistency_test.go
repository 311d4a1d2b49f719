package iam

import (
	"testing"
	"time"
)

const second = monotonicTime(time.Second)

func acked(at monotonicTime) outcome      { return outcome{began: at, ended: at, acked: true} }
func unanswered(at monotonicTime) outcome { return outcome{began: at, ended: at, unknown: true} }

func TestConsistencyOfReadsIsProvenOnlyAWindowAfterStart(t *testing.T) {
	absent := presenceValue(Absent)
	for _, c := range []struct {
		name string
		read monotonicTime
		want bool
	}{
		{"never read", never, false},
		{"read at start", start, false},
		{"read just before the window is over", start + 60*second - 1, false},
		{"read when the window is over", start + 60*second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e consistency
			e.admits(c.read)
			if got := e.proves(absent); got != c.want {
				t.Errorf("proves = %v, want %v", got, c.want)
			}
		})
	}
}

func TestConsistencyOfOwnWrites(t *testing.T) {
	absent, present := presenceValue(Absent), presenceValue(Present)
	type write struct {
		of value
		o  outcome
	}
	at := func(seconds monotonicTime) monotonicTime { return start + seconds*second }
	for _, c := range []struct {
		name   string
		writes []write
		claim  value
		want   bool
	}{
		{"an acknowledged write proves", []write{{absent, acked(at(1))}}, absent, true},
		{"one of unknown effect does not", []write{{absent, unanswered(at(1))}}, absent, false},
		{
			"an acknowledged repetition of a write of unknown effect proves",
			[]write{{absent, unanswered(at(1))}, {absent, acked(at(2))}},
			absent, true,
		},
		{
			"a grant of unknown effect within the window spoils an acknowledged revocation",
			[]write{{present, unanswered(at(1))}, {absent, acked(at(60))}},
			absent, false,
		},
		{
			"but not once the window is over",
			[]write{{present, unanswered(at(1))}, {absent, acked(at(61))}},
			absent, true,
		},
		{
			"writes of both kinds and unknown effect spoil either",
			[]write{{present, unanswered(at(1))}, {absent, unanswered(at(2))}, {absent, acked(at(3))}},
			absent, false,
		},
		{
			"an acknowledged write keeps the unknown effect of an older one",
			[]write{{present, unanswered(at(1))}, {present, acked(at(2))}, {absent, acked(at(3))}},
			absent, false,
		},
		{
			"a first attempt lost, a second acknowledged proves the same",
			[]write{{absent, outcome{began: at(1), ended: at(2), acked: true, unknown: true}}},
			absent, true,
		},
		{
			"and spoils the opposite",
			[]write{{present, outcome{began: at(1), ended: at(2), acked: true, unknown: true}}, {absent, acked(at(3))}},
			absent, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := consistency{read: start}
			for _, w := range c.writes {
				e.wrote(w.of, w.o)
			}
			if got := e.proves(c.claim); got != c.want {
				t.Errorf("proves = %v, want %v", got, c.want)
			}
		})
	}
}

func TestReadWithinTheWindowOfAWriteIsNotAdmitted(t *testing.T) {
	e := consistency{read: start}
	e.wrote(presenceValue(Absent), acked(start+10*second))
	if e.admits(start + 70*second - 1) {
		t.Error("a read that began within the window was admitted")
	}
	if !e.admits(start + 70*second) {
		t.Error("a read that began when the window was over was not admitted")
	}
	if e.admits(start + 69*second) {
		t.Error("an older read was admitted after a newer one")
	}
}

func TestOnlyAReadYoungerThanTheUnknownWriteRefines(t *testing.T) {
	var e consistency
	e.wrote(presenceValue(Present), unanswered(start+10*second))
	if e.refinable(start + 9*second) {
		t.Error("a read that began before the write of unknown effect ended refines")
	}
	if !e.refinable(start + 11*second) {
		t.Error("a read that began after the write of unknown effect ended does not refine")
	}
	e.wrote(presenceValue(Absent), acked(start+12*second))
	if e.refinable(start + 13*second) {
		t.Error("an acknowledged write needs no refinement")
	}
}
