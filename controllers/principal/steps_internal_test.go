package principal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

const pc01, pc02, pc03 = "i-00000000000000001", "i-00000000000000002", "i-00000000000000003"

var (
	noon     = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	aws      = policy.Account{ID: "111111111111", Partition: "aws"}
	alice    = policy.Principal{Kind: policy.User, Name: "alice"}
	inIAM    = iam.Principal{Kind: iam.User, Name: "alice"}
	other    = iam.Principal{Kind: iam.Role, Name: "other"}
	default1 = policy.Quotas{PolicySize: 6144, Policies: 10}
)

func onNodes(id string, nodes ...string) policy.Grant {
	return policy.Grant{
		ID: id, Targets: []policy.Target{{InstanceIDs: nodes}}, Regions: []string{"ap-northeast-1"},
		Documents: []policy.Document{{Name: policy.DefaultDocument}},
	}
}

func planOf(t *testing.T, held []string, q policy.Quotas, grants ...policy.Grant) policy.Plan {
	t.Helper()
	plan, err := policy.Compile(aws, alice, grants, held, q, noon)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// situationOf is one in which IAM holds documents, each attached to the principal.
func situationOf(plan policy.Plan, held ...string) situation {
	s := situation{
		name: func(shard int) string { return fmt.Sprint("p", shard) },
		held: map[int]iam.PolicyView{}, complete: true, plan: plan, attachTo: &inIAM,
	}
	for i, document := range held {
		s.held[i+1] = iam.PolicyView{
			Name: s.name(i + 1), Presence: iam.Present, PresenceProven: true, Document: document, DocumentProven: true, OthersProven: true,
			Attachments: []iam.Attachment{{Principal: inIAM, Presence: iam.Present, Proven: true}},
		}
	}
	return s
}

func texts(steps []step) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.String()
	}
	return out
}

// afterAFailure are the steps that are still carried out.
func afterAFailure(steps []step) []step {
	var left []step
	for _, s := range steps {
		if s.narrowing != nil {
			left = append(left, *s.narrowing)
		}
	}
	return left
}

func TestStrangersAreDetachedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	held := planOf(t, nil, default1, onNodes("a", pc01)).Documents
	s := situationOf(planOf(t, held, default1, onNodes("a", pc01, pc02)), held...)
	view := s.held[1]
	view.Attachments = append(view.Attachments, iam.Attachment{Principal: other, Presence: iam.Present, Proven: true})
	s.held[1] = view
	steps := stepsFor(s)
	if got, want := texts(steps), []string{"detach policy p1 from role other", "change policy p1"}; !slices.Equal(got, want) {
		t.Errorf("the steps are %q, want %q", got, want)
	}
	if left := texts(afterAFailure(steps)); !slices.Equal(left, []string{"detach policy p1 from role other"}) {
		t.Errorf("after a failure the steps are %q", left)
	}
}

func TestAfterAFailureADocumentOnlyLosesWhatWent(t *testing.T) {
	t.Parallel()
	held := planOf(t, nil, default1, onNodes("a", pc01, pc02)).Documents
	steps := stepsFor(situationOf(planOf(t, held, default1, onNodes("a", pc02, pc03)), held...))
	if len(steps) != 1 || !strings.Contains(steps[0].document, pc03) || strings.Contains(steps[0].document, pc01) {
		t.Fatalf("the steps are %+v", steps)
	}
	left := afterAFailure(steps)
	if len(left) != 1 || left[0].action != putDocument || !left[0].narrows {
		t.Fatalf("after a failure the steps are %+v", left)
	}
	for node, want := range map[string]bool{pc01: false, pc02: true, pc03: false} {
		if got := strings.Contains(left[0].document, node); got != want {
			t.Errorf("after a failure %s is allowed: %t\n%s", node, got, left[0].document)
		}
	}
	if !policy.Within(left[0].document, held[0]) {
		t.Error("after a failure the document is wider than before")
	}
}

func TestAfterAFailureNothingMovesAndNothingIsAttached(t *testing.T) {
	t.Parallel()
	// Two policies that fit into one: what the second holds moves, and it goes.
	first := planOf(t, nil, default1, onNodes("a", pc01)).Documents[0]
	second := planOf(t, nil, default1, onNodes("b", pc02)).Documents[0]
	plan, err := policy.Compile(aws, alice, []policy.Grant{onNodes("a", pc01), onNodes("b", pc02)}, []string{first, second}, policy.Quotas{PolicySize: 6144, Policies: 1}, noon)
	if err != nil {
		t.Fatal(err)
	}
	steps := stepsFor(situationOf(plan, first, second))
	if len(steps) < 2 {
		t.Fatalf("the steps are %q, want that one policy takes over the other's part", texts(steps))
	}
	if left := texts(afterAFailure(steps)); len(left) != 0 {
		t.Errorf("after a failure the steps are %q, want none: a part would be lost that is granted", left)
	}
	fresh := stepsFor(situationOf(planOf(t, nil, default1, onNodes("a", pc01))))
	if left := texts(afterAFailure(fresh)); len(fresh) != 2 || len(left) != 0 {
		t.Errorf("of %q, %q are carried out after a failure", texts(fresh), left)
	}
}

func TestAfterAFailureAnUnknownDocumentIsEmptied(t *testing.T) {
	t.Parallel()
	s := situationOf(planOf(t, []string{""}, default1, onNodes("a", pc01)), "")
	left := afterAFailure(stepsFor(s))
	if len(left) != 1 || left[0].document != policy.Nothing {
		t.Errorf("after a failure the steps are %+v", left)
	}
}

func TestAnOrdinaryGrantTakesTwoWritesAndAChangeOne(t *testing.T) {
	t.Parallel()
	plan := planOf(t, nil, default1, onNodes("a", pc01))
	if n := len(stepsFor(situationOf(plan))); n != 2 {
		t.Errorf("a new principal takes %d writes", n)
	}
	changed := planOf(t, plan.Documents, default1, onNodes("a", pc02))
	if n := len(stepsFor(situationOf(changed, plan.Documents...))); n != 1 {
		t.Errorf("a change takes %d writes", n)
	}
}
