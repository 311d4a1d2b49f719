package cloud

import (
	"testing"
	"time"
)

func TestAbsenceIsAsOldAsTheNewestReadThatShowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobody := Principal{Kind: User, Name: "nobody"}
	if _, known := w.mirror.AbsentAsOf(nobody); known {
		t.Error("absence is known before anything was read")
	}
	w.refresh()
	read, known := w.mirror.AbsentAsOf(nobody)
	if _, exists := w.mirror.AbsentAsOf(alice); !known || exists {
		t.Errorf("absence of nobody known %v, of alice %v", known, exists)
	}
	w.aws.Advance(time.Minute)
	if _, err := w.account.LookUpPrincipal(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	looked, _ := w.mirror.AbsentAsOf(nobody)
	if again, _ := w.mirror.AbsentAsOf(Principal{Kind: User, Name: "carol"}); !again.Equal(read) || looked.Sub(read) < time.Minute {
		t.Errorf("read at %s, looked up at %s", read, looked)
	}
	w.aws.Advance(time.Minute)
	w.refresh()
	if last, _ := w.mirror.AbsentAsOf(nobody); last.Sub(looked) < time.Minute || len(w.mirror.absences) != 0 {
		t.Errorf("looked up at %s, read at %s, %d absences are kept", looked, last, len(w.mirror.absences))
	}
}
