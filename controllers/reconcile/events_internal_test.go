package reconcile

import (
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/client-go/tools/events"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheNoteOfAnEventIsAsLongAsTheAPIServerTakes(t *testing.T) {
	t.Parallel()
	recorder := events.NewFakeRecorder(1)
	v := Verdict{Progress: Stuck, Reason: v1alpha1.ReasonInvalidSpec, Message: strings.Repeat("ö", maxNote)}
	Announce(recorder, &v1alpha1.SessionAccess{}, v)
	_, note, _ := strings.Cut(<-recorder.Events, v.Reason+" ")
	if len(note) > maxNote || len(note) < maxNote-8 || !utf8.ValidString(note) || !strings.HasSuffix(note, "…") {
		t.Errorf("the note has %d bytes and ends in %q", len(note), note[max(0, len(note)-8):])
	}
	if short := "short"; shorten(short, maxNote) != short {
		t.Error("a short text is cut")
	}
}
