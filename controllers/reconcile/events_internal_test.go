package reconcile

import (
	"cmp"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/client-go/tools/events"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheNoteOfAnEventIsAsLongAsTheAPIServerTakes(t *testing.T) {
	t.Parallel()
	recorder := events.NewFakeRecorder(1)
	v := Result{Phase: Stalled, Reason: v1alpha1.ReasonInvalidSpec, Message: strings.Repeat("ö", maxNote)}
	RecordEvent(recorder, &v1alpha1.SessionAccess{}, v)
	_, note, _ := strings.Cut(<-recorder.Events, v.Reason+" ")
	if len(note) > maxNote || len(note) < maxNote-8 || !utf8.ValidString(note) || !strings.HasSuffix(note, "…") {
		t.Errorf("the note has %d bytes and ends in %q", len(note), note[max(0, len(note)-8):])
	}
	if short := "short"; shorten(short, maxNote) != short {
		t.Error("a short text is cut")
	}
}

func TestAnEventWarnsWhereAUserMayHaveToAct(t *testing.T) {
	t.Parallel()
	for want, results := range map[string][]Result{
		"Normal": {
			{Phase: Ready},
			{Phase: Reconciling},
			{Phase: Stalled, Reason: v1alpha1.ReasonObserved},
			{Phase: Stalled, Reason: v1alpha1.ReasonSuspended},
		},
		"Warning": {
			{Phase: Stalled},
			{Phase: Retrying},
			{Phase: Reconciling, Warns: true},
			{Phase: Reconciling, Reason: v1alpha1.ReasonAccountNotFound},
		},
	} {
		for _, r := range results {
			r.Reason, r.Message = cmp.Or(r.Reason, v1alpha1.ReasonPrincipalNotFound), "A sentence."
			recorder := events.NewFakeRecorder(1)
			RecordEvent(recorder, &v1alpha1.SessionAccess{}, r)
			if kind, _, _ := strings.Cut(<-recorder.Events, " "); kind != want {
				t.Errorf("%+v is a %s event, want %s", r, kind, want)
			}
		}
	}
}
