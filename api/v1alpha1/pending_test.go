package v1alpha1_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// An entry of both lists was stored by this version after an earlier one.
func TestPendingRevocationsOfAnEarlierVersionAreMoved(t *testing.T) {
	t.Parallel()
	const stored = `{"observedGeneration":3,
		"pendingRevocations":[{"uid":"a","namespace":"team","name":"new","forcedAt":"2026-03-02T12:00:00Z"}],
		"owed":[{"uid":"a","namespace":"team","name":"old","abandonedAt":"2026-03-01T12:00:00Z"},
			{"uid":"b","namespace":"team","name":"b","serial":4,"abandonedAt":"2026-03-01T12:00:00Z",
			 "grants":[{"accountID":"488821267897"}],"revocation":{"sessionsEnded":2}}]}`
	var status v1alpha1.AWSAccountStatus
	if err := json.Unmarshal([]byte(stored), &status); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"uid":"a","namespace":"team","name":"new","forcedAt":"2026-03-02T12:00:00Z"},` +
		`{"uid":"b","namespace":"team","name":"b","serial":4,"forcedAt":"2026-03-01T12:00:00Z",` +
		`"grants":[{"accountID":"488821267897"`
	if got := string(again); !strings.Contains(got, want) || !strings.Contains(got, `"sessionsEnded":2`) || strings.Contains(got, "owed") || status.ObservedGeneration != 3 {
		t.Errorf("the status is %s", got)
	}
}

func TestForceDeletionHasAFormerName(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]v1alpha1.ForceDeletion{
		`{}`:                          v1alpha1.ForceDeletionForbidden,
		`{"allowAbandon":true}`:       v1alpha1.ForceDeletionAllowed,
		`{"forceDeletion":"Allowed"}`: v1alpha1.ForceDeletionAllowed,
		`{"forceDeletion":"Forbidden","allowAbandon":true}`: v1alpha1.ForceDeletionForbidden,
	} {
		account := &v1alpha1.AWSAccount{}
		if err := json.Unmarshal([]byte(spec), &account.Spec); err != nil {
			t.Fatal(err)
		}
		if got := account.ForceDeletion(); got != want {
			t.Errorf("%s: %s", spec, got)
		}
	}
}
