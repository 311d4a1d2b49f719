package iam

import (
	"testing"
	"time"
)

func TestAbsenceIsAsOldAsTheNewestReadThatShowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobody := Principal{Kind: User, Name: "nobody"}
	if _, known := w.cache.AbsentAsOf(nobody); known {
		t.Error("absence is known before anything was read")
	}
	w.refresh()
	read, known := w.cache.AbsentAsOf(nobody)
	if _, exists := w.cache.AbsentAsOf(alice); !known || exists {
		t.Errorf("absence of nobody known %v, of alice %v", known, exists)
	}
	w.aws.Advance(time.Minute)
	if _, err := w.account.LookUpPrincipal(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	looked, _ := w.cache.AbsentAsOf(nobody)
	if again, _ := w.cache.AbsentAsOf(Principal{Kind: User, Name: "carol"}); !again.Equal(read) || looked.Sub(read) < time.Minute {
		t.Errorf("read at %s, looked up at %s", read, looked)
	}
	w.aws.Advance(time.Minute)
	w.refresh()
	if last, _ := w.cache.AbsentAsOf(nobody); last.Sub(looked) < time.Minute || len(w.cache.absences) != 0 {
		t.Errorf("looked up at %s, read at %s, %d absences are kept", looked, last, len(w.cache.absences))
	}
}
