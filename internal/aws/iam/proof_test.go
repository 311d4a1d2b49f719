package iam

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func TestAbsenceIsProvenOnlyByAReadAWindowAfterStart(t *testing.T) {
	w := newWorld(t)
	if view := w.cache.Policy(testPolicy); view.Presence != Unknown || view.PresenceProven {
		t.Errorf("before any read: %+v", view)
	}
	w.refresh()
	view := w.cache.Policy(testPolicy)
	if view.Presence != Absent || view.PresenceProven {
		t.Errorf("after a read at start: %+v", view)
	}
	if want := w.aws.Now().Add(awsclient.ConsistencyWindow); !view.SettlesAt.Equal(want) {
		t.Errorf("settles at %v, want %v", view.SettlesAt, want)
	}
	if _, complete := w.cache.PoliciesWithPrefix("ssma-"); complete {
		t.Error("the list of policies claims to be complete at start")
	}

	w.aws.Advance(awsclient.ConsistencyWindow - time.Second)
	w.refresh()
	if w.cache.Policy(testPolicy).Gone() {
		t.Error("proven by a read within the window")
	}
	w.aws.Advance(time.Second)
	w.refresh()
	if !w.cache.Policy(testPolicy).Gone() {
		t.Error("not proven by a read when the window was over")
	}
	if views, complete := w.cache.PoliciesWithPrefix("ssma-"); !complete || len(views) != 0 {
		t.Errorf("policies %v, complete %v", views, complete)
	}
}

func TestPointReadAfterTheWindowProvesAbsence(t *testing.T) {
	w := newWorld(t)
	w.refresh()
	w.aws.Advance(awsclient.ConsistencyWindow)
	view, err := w.account.LookUpPolicy(t.Context(), testPolicy)
	w.must(err)
	if !view.Gone() || !w.cache.Policy(testPolicy).Gone() {
		t.Errorf("view %+v", view)
	}
	w.refresh()
	if !w.cache.Policy(testPolicy).Gone() {
		t.Error("the next refresh forgot it")
	}
}

func TestRefreshNeverUndoesWhatWasWrittenInsideTheWindow(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.settle()
	w.aws.SetConsistencyDelay(50 * time.Second)

	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	w.must(w.account.Detach(t.Context(), testPolicy, alice))
	w.must(w.account.Attach(t.Context(), testPolicy, bob))
	w.aws.Advance(10 * time.Second)
	for range 2 {
		if report := w.refresh(); len(report.Drifts) != 0 {
			t.Fatalf("stale reads count as drift: %v", report.Drifts)
		}
		view := w.cache.Policy(testPolicy)
		if view.Document != grantB || !view.DocumentProven {
			t.Errorf("document %s, proven %v", view.Document, view.DocumentProven)
		}
		if presence, proven := view.Attachment(alice); presence != Absent || !proven {
			t.Errorf("alice: %v, proven %v", presence, proven)
		}
		if presence, proven := view.Attachment(bob); presence != Present || !proven {
			t.Errorf("Bob: %v, proven %v", presence, proven)
		}
		w.aws.Advance(30 * time.Second)
	}
}

func TestDeletedPolicyStaysDeletedForStaleReads(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.settle()
	w.aws.SetConsistencyDelay(50 * time.Second)
	w.must(w.account.DeletePolicy(t.Context(), testPolicy))
	w.aws.Advance(10 * time.Second)

	report := w.refresh()
	if view := w.cache.Policy(testPolicy); !view.Gone() || len(report.Drifts) != 0 {
		t.Fatalf("view %+v, drifts %v", view, report.Drifts)
	}
	if got := w.cache.Principal(alice).Attached; len(got) != 0 {
		t.Errorf("alice has %v", got)
	}
	if _, err := w.account.LookUpPolicy(t.Context(), testPolicy); err != nil {
		t.Fatal(err)
	}
	if !w.cache.Policy(testPolicy).Gone() {
		t.Error("a stale point read brought it back")
	}

	// Recreated at once: what the stale reads say about the old one does not
	// matter.
	w.create(testPolicy, grantB)
	w.aws.Advance(10 * time.Second)
	w.refresh()
	view := w.cache.Policy(testPolicy)
	if view.Document != grantB || len(view.AttachedTo()) != 0 || !view.OthersProven {
		t.Errorf("view %+v", view)
	}
}

func TestLostAnswerMakesTheEntryUnknownUntilAReadAfterTheWindow(t *testing.T) {
	w := newWorld(t, func(o *awsclient.Options) { o.AttemptTimeout = time.Second })
	w.create(testPolicy, grantA)
	w.settle()
	w.strike(faults.HoldAfter, "iam:AttachUserPolicy", 1)
	if err := w.account.Attach(t.Context(), testPolicy, alice); awserr.Classify(err) != awserr.Transport {
		t.Fatalf("got %v", err)
	}
	lost := w.aws.Now()
	check := func(when string, presence Presence, proven bool) {
		t.Helper()
		gotPresence, gotProven := w.cache.Policy(testPolicy).Attachment(alice)
		if gotPresence != presence || gotProven != proven {
			t.Errorf("%s: %v, proven %v, want %v, %v", when, gotPresence, gotProven, presence, proven)
		}
	}
	check("at once", Unknown, false)
	w.aws.Advance(59 * time.Second)
	w.refresh()
	check("after a refresh within the window", Unknown, false)
	if got := w.cache.Policy(testPolicy).SettlesAt; !got.Equal(lost.Add(awsclient.ConsistencyWindow)) {
		t.Errorf("settles at %v, want a window after %v", got, lost)
	}
	_, err := w.account.LookUpPolicy(t.Context(), testPolicy)
	w.must(err)
	check("after a point read within the window", Present, false)
	w.aws.Advance(time.Second)
	report := w.refresh()
	check("after a refresh after the window", Present, true)
	if len(report.Drifts) != 0 {
		t.Errorf("what came of a lost write is no drift: %v", report.Drifts)
	}
}

func TestRefreshResolvesWhatWasUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.settle()
	w.strike(faults.ErrorAfter, "iam:CreatePolicyVersion", 0)
	if err := w.account.PutDocument(t.Context(), testPolicy, grantB); awserr.Classify(err) != awserr.Transport {
		t.Fatalf("got %v", err)
	}
	w.aws.RemoveFault("")
	if view := w.cache.Policy(testPolicy); view.Document != "" || view.DocumentProven || view.Versions != nil {
		t.Errorf("view %+v", view)
	}
	w.aws.Advance(awsclient.ConsistencyWindow)
	report := w.refresh()
	if !slices.Equal(report.Resolved, []string{testPolicy}) || len(report.Drifts) != 0 {
		t.Errorf("resolved %v, drifts %v", report.Resolved, report.Drifts)
	}
	if view := w.cache.Policy(testPolicy); view.Document != grantB || !view.DocumentProven {
		t.Errorf("view %+v", view)
	}
}

func TestRevocationAfterALostGrantIsNotProvenBeforeTheWindowIsOver(t *testing.T) {
	w := newWorld(t, func(o *awsclient.Options) { o.AttemptTimeout = time.Second })
	w.create(testPolicy, grantA)
	w.settle()
	w.strike(faults.Hold, "iam:AttachUserPolicy", 1) // may be carried out any time
	if err := w.account.Attach(t.Context(), testPolicy, alice); awserr.Classify(err) != awserr.Transport {
		t.Fatalf("got %v", err)
	}
	w.aws.Advance(time.Second)
	w.must(w.account.Detach(t.Context(), testPolicy, alice))
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Absent || proven {
		t.Errorf("right after the detachment: %v, proven %v", presence, proven)
	}
	w.aws.Advance(awsclient.ConsistencyWindow)
	_, err := w.account.LookUpPolicy(t.Context(), testPolicy)
	w.must(err)
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Absent || !proven {
		t.Errorf("after the window and a read: %v, proven %v", presence, proven)
	}
}

func TestOwnDetachmentIsProvenAlthoughTheProcessIsYoung(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.restart()
	w.refresh()
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Present || proven {
		t.Errorf("read at start: %v, proven %v", presence, proven)
	}
	w.must(w.account.Detach(t.Context(), testPolicy, alice))
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Absent || !proven {
		t.Errorf("alice: %v, proven %v", presence, proven)
	}
	if presence, proven := w.cache.Policy(testPolicy).Attachment(bob); presence != Absent || proven {
		t.Errorf("Bob: %v, proven %v", presence, proven)
	}
}

func TestRepeatedChangeLeavesTheVersionsUnknown(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.strike(faults.DropAfter, "iam:CreatePolicyVersion", 1)
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB)) // made two versions
	view := w.cache.Policy(testPolicy)
	if view.Document != grantB || !view.DocumentProven || view.Versions != nil {
		t.Errorf("view %+v", view)
	}
	for range 4 {
		w.must(w.account.PutDocument(t.Context(), testPolicy, grantC))
	}
}

func TestPointReadWhoseAnswersDoNotFitTogetherChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.Attach(t.Context(), testPolicy, alice))
	w.settle()
	w.aws.Advance(awsclient.ConsistencyWindow)
	_, err := w.aws.Inject(faults.Fault{Kind: faults.Error, Action: "iam:GetPolicyVersion", Code: "NoSuchEntity", Status: 404})
	w.must(err)
	_, err = w.account.LookUpPolicy(t.Context(), testPolicy)
	_ = wantError[*SettlingError](t, err)
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Present || !proven {
		t.Errorf("alice: %v, proven %v", presence, proven)
	}
}

func TestYoungerPointReadOutlivesAnOlderRefresh(t *testing.T) {
	w := newWorld(t)
	w.settle()
	inv := newInventory(w.cache.ownership, w.cache.policyARNPrefix(), w.cache.now())
	_, err := inv.read(t.Context(), w.stranger)
	w.must(err)

	w.aws.Advance(time.Second)
	carol := Principal{Kind: User, Name: "carol"}
	w.must(w.aws.Account(testAccount).IAM.AddUser(fixtures.User{Name: carol.Name}))
	_, err = w.account.LookUpPrincipal(t.Context(), carol)
	w.must(err)
	_, err = w.stranger.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String(testPolicy), Path: aws.String("/ssm-access/0a1b2c3d/"), PolicyDocument: aws.String(grantA),
	})
	w.must(err)
	_, err = w.account.LookUpPolicy(t.Context(), testPolicy)
	w.must(err)

	_, err = w.cache.merge(inv) // read before, taken over after
	w.must(err)
	if got := w.cache.Principal(carol).Presence; got != Present {
		t.Errorf("carol is %v", got)
	}
	if view := w.cache.Policy(testPolicy); view.Presence != Present || view.Document != grantA {
		t.Errorf("view %+v", view)
	}
}

func TestLateDeletionLeavesNoAttachmentUnknown(t *testing.T) {
	p := &policy{name: testPolicy}
	p.deleted(outcome{began: start, ended: start + second, acked: true, unknown: true})
	p.created(grantA, acked(start+2*second))
	p.wroteAttachment(alice, Present, acked(start+3*second))
	if !p.attachmentOf(alice).consistency.proves(presenceValue(Present)) {
		t.Error("the attachment is unknown")
	}
	if p.existence.proves(presenceValue(Present)) {
		t.Error("a deletion that may yet come is forgotten")
	}
}

func TestLostCreationIsFoundByTheNextAttempt(t *testing.T) {
	w := newWorld(t)
	w.settle()
	w.strike(faults.DropAfter, "iam:CreatePolicy", 1)
	w.create(testPolicy, grantA) // the SDK tries again and learns that it exists
	view := w.cache.Policy(testPolicy)
	if view.Presence != Present || view.Document != grantA || !view.DocumentProven {
		t.Errorf("view %+v", view)
	}
}

// vanishing is a network on which no server listens any more once it is gone.
type vanishing struct {
	aws.HTTPClient
	gone *atomic.Bool
}

func (v vanishing) Do(r *http.Request) (*http.Response, error) {
	if v.gone.Load() {
		r.URL.Host = "127.0.0.1:1"
	}
	return v.HTTPClient.Do(r)
}

func TestNothingSentLeavesNothingUnknown(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	w := newWorld(t, func(o *awsclient.Options) { o.Base.HTTPClient = vanishing{o.Base.HTTPClient, &gone} })
	w.create(testPolicy, grantA)
	w.settle()
	gone.Store(true)
	if err := w.account.PutDocument(t.Context(), testPolicy, grantB); awserr.Classify(err) != awserr.Transport {
		t.Fatalf("got %v", err)
	}
	if view := w.cache.Policy(testPolicy); view.Document != grantA || !view.DocumentProven {
		t.Errorf("view %+v", view)
	}
}

func TestDriftIsReportedByKindAndOnlyOnce(t *testing.T) {
	names := func(i int) string { return "ssma-0a1b2c3d-u-p" + string(rune('0'+i)) + "-000000000000-1" }
	w := newWorld(t)
	for i := range 5 {
		w.create(names(i), grantA)
	}
	w.must(w.account.PutDocument(t.Context(), names(1), grantB))
	w.must(w.account.Attach(t.Context(), names(2), alice))
	w.settle()

	ctx := t.Context()
	_, err := w.stranger.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: arnOf(names(0)), PolicyDocument: aws.String(grantC), SetAsDefault: true,
	})
	w.must(err)
	_, err = w.stranger.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{
		PolicyArn: arnOf(names(1)), VersionId: aws.String("v1"),
	})
	w.must(err)
	_, err = w.stranger.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{PolicyArn: arnOf(names(2)), UserName: aws.String("alice")})
	w.must(err)
	_, err = w.stranger.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{PolicyArn: arnOf(names(3)), GroupName: aws.String("admins")})
	w.must(err)
	_, err = w.stranger.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arnOf(names(4))})
	w.must(err)
	_, err = w.stranger.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String(names(5)), Path: aws.String("/ssm-access/0a1b2c3d/"), PolicyDocument: aws.String(grantA),
	})
	w.must(err)

	w.aws.Advance(awsclient.ConsistencyWindow)
	want := []Drift{
		{Kind: Edited, Policy: names(0)},
		{Kind: DefaultMoved, Policy: names(1)},
		{Kind: Detached, Policy: names(2), Principal: alice},
		{Kind: AttachedElsewhere, Policy: names(3), Principal: admins},
		{Kind: Deleted, Policy: names(4)},
		{Kind: Appeared, Policy: names(5)},
	}
	if got := w.refresh().Drifts; !slices.Equal(got, want) {
		t.Fatalf("drifts %v, want %v", got, want)
	}
	if got := w.refresh().Drifts; len(got) != 0 {
		t.Errorf("reported again: %v", got)
	}
}
