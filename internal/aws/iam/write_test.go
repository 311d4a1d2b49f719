package iam

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

func TestFirstGrantTakesTwoWritesAndIsProvenAtOnce(t *testing.T) {
	w := newWorld(t)
	w.refresh()
	w.Operations()
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.wantCalls("CreatePolicy", "AttachUserPolicy")

	view := w.cache.Policy(testPolicy)
	if view.Presence != Present || !view.PresenceProven || view.Document != grantA || !view.DocumentProven {
		t.Errorf("the cache does not hold what was written: %+v", view)
	}
	if presence, proven := view.Attachment(Principal{Kind: User, Name: "ALICE"}); presence != Present || !proven {
		t.Errorf("attachment to alice is %v, proven %v", presence, proven)
	}
	if got := w.cache.Principal(alice).Attached; !slices.Equal(got, []string{testPolicy}) {
		t.Errorf("attached to alice: %v", got)
	}
	document, attached, _ := w.truth(testPolicy)
	if document != grantA || !slices.Equal(attached, []string{"arn:aws:iam::" + testAccount + ":user/alice"}) {
		t.Errorf("IAM holds %q attached to %v", document, attached)
	}
}

func TestEveryKindOfPrincipalIsAttachedAndDetached(t *testing.T) {
	for _, principal := range []Principal{alice, admins, deploy} {
		t.Run(string(principal.Kind), func(t *testing.T) {
			w := newWorld(t)
			w.create(testPolicy, grantA)
			w.must(w.account.Attach(t.Context(), testPolicy, principal))
			w.must(w.account.Attach(t.Context(), testPolicy, principal))
			if _, attached, _ := w.truth(testPolicy); len(attached) != 1 {
				t.Fatalf("attached to %v", attached)
			}
			w.must(w.account.Detach(t.Context(), testPolicy, principal))
			w.must(w.account.Detach(t.Context(), testPolicy, principal))
			if _, attached, _ := w.truth(testPolicy); len(attached) != 0 {
				t.Fatalf("still attached to %v", attached)
			}
			if presence, proven := w.cache.Policy(testPolicy).Attachment(principal); presence != Absent || !proven {
				t.Errorf("attachment is %v, proven %v", presence, proven)
			}
		})
	}
}

func TestChangeTakesOneWriteUntilTheVersionsAreUsedUp(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.Operations()
	for range 4 {
		w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
		w.wantCalls("CreatePolicyVersion")
	}
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantC))
	w.wantCalls("DeletePolicyVersion", "CreatePolicyVersion")
	view := w.cache.Policy(testPolicy)
	if view.Document != grantC || view.DefaultVersion != "v6" || len(view.Versions) != 5 || view.Versions[0].ID != "v2" {
		t.Errorf("view after six versions: %+v", view)
	}
	if document, _, _ := w.truth(testPolicy); document != grantC {
		t.Errorf("IAM holds %s", document)
	}
}

func TestVersionsQuotaOfTheAccountIsKept(t *testing.T) {
	fixture := emulated.Fixture()
	fixture.Accounts[0].Quotas = map[string]int32{"VersionsPerPolicyQuota": 2}
	w := newWorldOf(t, fixture)
	quotas, err := w.account.Quotas(t.Context())
	w.must(err)
	if quotas.VersionsPerPolicy != 2 || quotas.PolicySize != 6144 || quotas.AttachedPoliciesPerGroup != 10 {
		t.Fatalf("quotas %+v", quotas)
	}
	w.create(testPolicy, grantA)
	w.Operations()
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantC))
	w.wantCalls("CreatePolicyVersion", "DeletePolicyVersion", "CreatePolicyVersion")
}

func TestChangeMakesRoomAlthoughTheCacheKnowsNoVersions(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	for range 4 {
		w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	}
	w.restart() // knows nothing
	w.Operations()
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantC))
	w.wantCalls("CreatePolicyVersion", "ListPolicyVersions", "DeletePolicyVersion", "CreatePolicyVersion")
}

func TestChangeMakesRoomAlthoughTheDefaultVersionWasMoved(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	for range 4 {
		w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	}
	_, err := w.stranger.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{
		PolicyArn: arnOf(testPolicy), VersionId: aws.String("v1"),
	})
	w.must(err)
	w.Operations()
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantC))
	w.wantCalls("DeletePolicyVersion", "DeletePolicyVersion", "CreatePolicyVersion")
}

func TestTooLargeADocumentIsInvalidAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	large := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ec2:ap-northeast-1:488821267897:instance/%06145d"}]}`, 1)
	err := w.account.PutDocument(t.Context(), testPolicy, large)
	if awserr.Classify(err) != awserr.Invalid || awserr.Code(err) != awserr.CodeLimitExceeded {
		t.Fatalf("got %v (%s), want LimitExceeded", err, awserr.Classify(err))
	}
	if view := w.cache.Policy(testPolicy); view.Document != grantA || !view.DocumentProven {
		t.Errorf("the cache lost what it knew: %+v", view)
	}
}

func TestCreatingWhatExistsAtOurPathPutsTheDocument(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.restart()
	w.refresh()
	w.Operations()
	w.create(testPolicy, grantB)
	w.wantCalls("CreatePolicy", "CreatePolicyVersion")
	if document, _, _ := w.truth(testPolicy); document != grantB {
		t.Errorf("IAM holds %s", document)
	}
	if view := w.cache.Policy(testPolicy); view.Document != grantB || !view.DocumentProven || !view.PresenceProven {
		t.Errorf("view %+v", view)
	}
}

func TestNameTakenOutsideOfOurPathIsReportedAndNotTouched(t *testing.T) {
	w := newWorld(t)
	foreign, err := w.aws.Account(testAccount).IAM.AddPolicy(fixtures.Policy{
		Name: "SSMA-0a1b2c3d-U-ALICE-000000000000-1", Path: "/elsewhere/", Document: []byte(grantC),
	})
	w.must(err)
	w.refresh()
	taken := wantError[*NameTakenError](t, w.account.CreatePolicy(t.Context(), NewPolicy{Name: testPolicy, Document: grantA}))
	if taken.ARN != foreign {
		t.Errorf("taken by %s, want %s", taken.ARN, foreign)
	}
	p, _ := w.aws.Account(testAccount).IAM.Latest().Policy(foreign)
	if p == nil || p.DefaultVersion().Text != grantC || len(p.Versions) != 1 {
		t.Errorf("the foreign policy was touched: %+v", p)
	}
	if got := w.cache.OwnedPolicies(); len(got) != 0 {
		t.Errorf("the cache holds %v as ours", got)
	}
}

func TestWritesToWhatIsNotOursAreRefusedBeforeAnyCall(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, name := range []string{
		"AdministratorAccess", "ssma-ffffffff-u-alice-000000000000-1", "ssma-0a1b2c3d", "",
		"ssma-0a1b2c3d-u-../../x", "ssma-0a1b2c3d-u-a b",
	} {
		for what, err := range map[string]error{
			"create": w.account.CreatePolicy(ctx, NewPolicy{Name: name, Document: grantA}),
			"put":    w.account.PutDocument(ctx, name, grantA),
			"attach": w.account.Attach(ctx, name, alice),
			"detach": w.account.Detach(ctx, name, alice),
			"delete": w.account.DeletePolicy(ctx, name),
		} {
			t.Run(what+" "+name, func(t *testing.T) { _ = wantError[*NotOwnedError](t, err) })
		}
	}
	if got := w.aws.Calls().Total; got != 0 {
		t.Errorf("%d calls were made", got)
	}
}

func TestDeletionRemovesAccessFirstAndThenThePolicy(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	w.Operations()
	w.must(w.account.DeletePolicy(t.Context(), testPolicy))
	w.wantCalls("DetachUserPolicy", "DeletePolicyVersion", "DeletePolicy")
	if _, _, exists := w.truth(testPolicy); exists {
		t.Error("the policy still exists")
	}
	if view := w.cache.Policy(testPolicy); !view.Gone() {
		t.Errorf("view %+v", view)
	}
	if got := w.cache.Principal(alice).Attached; len(got) != 0 {
		t.Errorf("alice still has %v in the cache", got)
	}
}

func TestDeletionFindsWhatTheCacheDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	for _, principal := range []Principal{alice, admins, deploy} {
		w.must(w.account.Attach(t.Context(), testPolicy, principal))
	}
	w.restart() // knows nothing
	w.must(w.account.DeletePolicy(t.Context(), testPolicy))
	if _, _, exists := w.truth(testPolicy); exists {
		t.Error("the policy still exists")
	}
}

func TestDeletingWhatIsGoneTakesOneCall(t *testing.T) {
	w := newWorld(t)
	w.must(w.account.DeletePolicy(t.Context(), testPolicy))
	w.wantCalls("DeletePolicy")
	if !w.cache.Policy(testPolicy).Gone() {
		t.Error("it is not known to be gone")
	}
}

func TestPolicyThatIsSomebodysBoundaryIsAConflict(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	_, err := w.stranger.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{
		UserName: aws.String("Bob"), PermissionsBoundary: arnOf(testPolicy),
	})
	w.must(err)
	if err := w.account.DeletePolicy(t.Context(), testPolicy); awserr.Classify(err) != awserr.Conflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	if slices.Contains(w.Operations(), "DetachUserPolicy") {
		t.Error("a boundary was taken for an attachment")
	}
	w.settle()
	if got := w.cache.Principal(bob).Boundary; got != *arnOf(testPolicy) {
		t.Errorf("boundary of Bob is %q", got)
	}
}

func TestAttachingToAMissingPrincipalNamesIt(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	nobody := Principal{Kind: User, Name: "nobody"}
	missing := wantError[*MissingPrincipalError](t, w.account.Attach(t.Context(), testPolicy, nobody))
	if missing.Principal != nobody {
		t.Errorf("missing %v", missing.Principal)
	}
}

func TestWriteToAPolicyDeletedBehindOurBackSaysSoAndCorrectsTheCache(t *testing.T) {
	for what, write := range map[string]func(context.Context, *Account) error{
		"attach": func(ctx context.Context, a *Account) error { return a.Attach(ctx, testPolicy, alice) },
		"put":    func(ctx context.Context, a *Account) error { return a.PutDocument(ctx, testPolicy, grantB) },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.create(testPolicy, grantA)
			w.settle()
			_, err := w.stranger.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: arnOf(testPolicy)})
			w.must(err)
			w.aws.Advance(2 * awsclient.ConsistencyWindow)
			err = write(t.Context(), w.account)
			_ = wantError[*PolicyGoneError](t, err)
			if awserr.Classify(err) != awserr.Waiting {
				t.Errorf("class %s", awserr.Classify(err))
			}
			if view := w.cache.Policy(testPolicy); view.Presence != Absent {
				t.Errorf("view %+v", view)
			}
			w.create(testPolicy, grantB)
			w.must(w.account.Attach(t.Context(), testPolicy, alice))
		})
	}
}

func TestDeclinedWriteLeavesTheCacheAsItWas(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.strike(faults.AccessDenied, "iam:CreatePolicyVersion", 1)
	err := w.account.PutDocument(t.Context(), testPolicy, grantB)
	if awserr.Classify(err) != awserr.Refused || awserr.Action(err) != "iam:CreatePolicyVersion" {
		t.Fatalf("got %v: %s %s", err, awserr.Classify(err), awserr.Action(err))
	}
	if view := w.cache.Policy(testPolicy); view.Document != grantA || !view.DocumentProven {
		t.Errorf("view %+v", view)
	}
}

func TestPolicyMadeAnewIsAttachedToNobody(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.settle()
	_, err := w.stranger.DetachUserPolicy(t.Context(), &iam.DetachUserPolicyInput{PolicyArn: arnOf(testPolicy), UserName: &alice.Name})
	w.must(err)
	_, err = w.stranger.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: arnOf(testPolicy)})
	w.must(err)
	w.create(testPolicy, grantB)
	if got := w.cache.Policy(testPolicy).AttachedTo(); len(got) != 0 {
		t.Errorf("attached to %v", got)
	}
	if got := w.cache.Principal(alice).Attached; len(got) != 0 {
		t.Errorf("alice has %v", got)
	}
}

func TestAPrincipalThatAPolicyCannotBeTakenOffKeepsItOnNoOther(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	for _, principal := range []Principal{alice, admins} {
		w.must(w.account.Attach(t.Context(), testPolicy, principal))
	}
	for _, action := range []string{"iam:DetachUserPolicy", "iam:DetachGroupPolicy"} {
		fault, err := w.aws.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
		w.must(err)
		if err := w.account.DeletePolicy(t.Context(), testPolicy); err == nil {
			t.Fatalf("%s is refused, and the policy deleted", action)
		}
		if _, attached, _ := w.truth(testPolicy); len(attached) != 1 {
			t.Errorf("with %s refused it is attached to %v, want one", action, attached)
		}
		w.aws.RemoveFault(fault)
		for _, principal := range []Principal{alice, admins} {
			w.must(w.account.Attach(t.Context(), testPolicy, principal))
		}
	}
}
