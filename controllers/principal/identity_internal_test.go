package principal

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestANameIsNoIdentity(t *testing.T) {
	t.Parallel()
	const old, young = "AIDAOLD", "AIDAYOUNG"
	for name, tc := range map[string]struct {
		present, renamed string
		recreated        v1alpha1.RecreatedPrincipals
		reason           string
		names            []string
	}{
		"deleted":                      {"", "", v1alpha1.RecreatedHold, v1alpha1.ReasonPrincipalNotFound, []string{"was deleted", old}},
		"deleted, Grant":               {"", "", v1alpha1.RecreatedGrant, v1alpha1.ReasonPrincipalNotFound, []string{"was deleted"}},
		"renamed":                      {"", "alice2", v1alpha1.RecreatedHold, v1alpha1.ReasonPrincipalNotFound, []string{`renamed to "alice2"`}},
		"recreated":                    {young, "", v1alpha1.RecreatedHold, v1alpha1.ReasonPrincipalRecreated, []string{old, young, "add it again", "recreatedPrincipals: Grant", `"main"`}},
		"recreated, an old AWSAccount": {young, "", "", v1alpha1.ReasonPrincipalRecreated, nil},
		"recreated, Grant":             {young, "", v1alpha1.RecreatedGrant, "", nil},
		"renamed and recreated, Grant": {young, "alice2", v1alpha1.RecreatedGrant, v1alpha1.ReasonPrincipalRecreated, []string{`"alice2"`, "add it again"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := disappearance{kind: v1alpha1.PrincipalUser, name: "alice", recorded: old, present: tc.present, renamed: tc.renamed, account: "main"}
			got, gone := d.judge(tc.recreated)
			if gone != (tc.reason != "") || got.reason != tc.reason {
				t.Fatalf("got %+v, %t", got, gone)
			}
			for _, want := range tc.names {
				if !strings.Contains(got.message, want) {
					t.Errorf("%q does not name %q", got.message, want)
				}
			}
			if len(got.message) > maxMessage {
				t.Errorf("%q is too long", got.message)
			}
		})
	}
}
