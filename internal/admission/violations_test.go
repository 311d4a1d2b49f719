package admission

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func guarded(guardrails ...v1alpha1.Guardrail) AccountAccess {
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}, Spec: v1alpha1.AWSAccountSpec{
		AccountID: "488821267897", Regions: []v1alpha1.Region{"ap-northeast-1"}, AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
	}}
	for i, g := range guardrails {
		g.Name, g.NamespaceSelector = fmt.Sprint("rule", i), &metav1.LabelSelector{}
		account.Spec.Guardrails = append(account.Spec.Guardrails, g)
	}
	return AccountAccess{Account: account, NamespaceName: "team-a", Namespace: &corev1.Namespace{}}
}

func contains(t *testing.T, message string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(message, part) {
			t.Errorf("%q does not say %q", message, part)
		}
	}
}

func TestAllViolationsAreNamedWithWhatIsAllowed(t *testing.T) {
	access := &v1alpha1.SessionAccess{Spec: v1alpha1.SessionAccessSpec{
		Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "a"}, {Kind: v1alpha1.PrincipalUser, Name: "b"}},
		Targets:    []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{"i-051cac51072605f39"}}},
		Documents:  []v1alpha1.DocumentReference{{Name: "X"}, {Name: "Y"}},
	}}
	in := guarded(
		v1alpha1.Guardrail{Principals: []v1alpha1.PrincipalPattern{{Kind: v1alpha1.PrincipalRole, Name: "ops-*"}}, Documents: []v1alpha1.NamePattern{"Team-*"}},
		v1alpha1.Guardrail{RequireMFA: true},
	)
	d := SessionAccess{AccountAccess: in, Object: access}.Decide()
	if d.Problem == nil || d.Problem.Reason != v1alpha1.ReasonGuardrailViolated || d.Grant != nil {
		t.Fatalf("it is decided %+v", d)
	}
	contains(t, d.Problem.Message, `Guardrail "rule0"`, "User/a, User/b are not among", "allows Role/ops-*", "Also: document X, document Y", "allows Team-*", `Guardrail "rule1"`, "requireMFA: true", "Nothing is granted.")
}

func TestAMessageNamesNoMoreThanAFewViolations(t *testing.T) {
	doc := &v1alpha1.SessionDocument{ObjectMeta: metav1.ObjectMeta{Name: "logged"}}
	var allowed []v1alpha1.ShareTarget
	for i := range 30 {
		doc.Spec.SharedWith = append(doc.Spec.SharedWith, v1alpha1.ShareTarget(fmt.Sprintf("1111111111%02d", i)))
		allowed = append(allowed, v1alpha1.ShareTarget(fmt.Sprintf("2222222222%02d", i)))
	}
	d := guarded(v1alpha1.Guardrail{SessionDocuments: &v1alpha1.DocumentRule{ShareWith: allowed}}).CheckSessionDocument(doc)
	if d == nil {
		t.Fatal("it is allowed")
	}
	contains(t, d.Message, "account 111111111104", "222222222209 and 20 more", "There are 25 more violations.")
	if strings.Contains(d.Message, "111111111105") || len(d.Message) > 4000 {
		t.Errorf("the message is too long: %s", d.Message)
	}
}

func TestWhomADocumentMayBeSharedWith(t *testing.T) {
	const (
		organization = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
		unit         = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-cdef3456"
		other        = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
	)
	for _, c := range []struct {
		rule, target v1alpha1.ShareTarget
		want         bool
	}{
		{organization, organization, true},
		{organization, unit, true},
		{unit, unit, true},
		{unit, organization, false},
		{other, unit, false},
		{"arn:aws:organizations::999999999999:organization/o-a1b2c3d4e5", unit, false},
		{"111122223333", organization, false},
		{organization, "111122223333", false},
	} {
		in := guarded(v1alpha1.Guardrail{SessionDocuments: &v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{c.rule}}})
		doc := &v1alpha1.SessionDocument{Spec: v1alpha1.SessionDocumentSpec{SharedWith: []v1alpha1.ShareTarget{c.target}}}
		if got := in.CheckSessionDocument(doc) == nil; got != c.want {
			t.Errorf("a rule with %s lets share with %s: %t", c.rule, c.target, got)
		}
		if allowed, known := in.AllowedShares(doc); !known || (len(allowed) == 1) != c.want {
			t.Errorf("a rule with %s allows %v", c.rule, allowed)
		}
	}
}
