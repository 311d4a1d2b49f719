package admission_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

func TestPatternsOfNamesDoNotMatchDocumentsOfOthers(t *testing.T) {
	const shared = "arn:aws:ssm:ap-northeast-1:111122223333:document/Shared-Shell"
	for _, c := range []struct {
		pattern  v1alpha1.NamePattern
		document string
		want     bool
	}{
		{"*", "Shared-Shell", true},
		{"*", shared, false},
		{"Shared-*", shared, false},
		{"arn:aws:ssm:*:111122223333:document/Shared-*", shared, true},
		{"arn:*", shared, true},
		{"arn:aws:ssm:*:999999999999:document/*", shared, false},
		{"arn:*", "Shared-Shell", false},
	} {
		if got := admission.MatchesDocument([]v1alpha1.NamePattern{c.pattern}, c.document); got != c.want {
			t.Errorf("%s matches %s: %t", c.pattern, c.document, got)
		}
	}
}
