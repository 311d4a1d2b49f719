package iam

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const allowNothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

func TestRefreshShowsPrincipalsGroupsBoundariesAndForeignAttachments(t *testing.T) {
	fixture := emulated.Fixture()
	account := &fixture.Accounts[0]
	account.Policies = []fixtures.Policy{
		{Name: "limit", Document: json.RawMessage(allowNothing)},
		{Name: "ssma-ffffffff-u-alice-1", Path: "/ssm-access/ffffffff/", Document: json.RawMessage(grantA)},
	}
	account.Users[0].Grants = fixtures.Grants{
		Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "limit", "ssma-ffffffff-u-alice-1"},
		Boundary: "limit",
	}
	w := newWorldOf(t, fixture)
	report := w.refresh()

	view := w.cache.Principal(Principal{Kind: User, Name: "ALICE"})
	if view.Presence != Present || view.Name != "alice" || view.Path != "/" || !view.Complete ||
		view.Boundary != "arn:aws:iam::"+testAccount+":policy/limit" ||
		!slices.Equal(view.Groups, []string{"admins"}) || view.ForeignAttachments != 3 {
		t.Errorf("alice is %+v", view)
	}
	want := []ForeignPolicy{{
		OwnerID: "ffffffff", Name: "ssma-ffffffff-u-alice-1",
		ARN: "arn:aws:iam::" + testAccount + ":policy/ssm-access/ffffffff/ssma-ffffffff-u-alice-1",
	}}
	if got := w.cache.ForeignOwners(alice); !slices.Equal(got, want) {
		t.Errorf("foreign owners %v", got)
	}
	if got := w.cache.UserNamesWithPrefix(""); !slices.Equal(got, []string{"alice", "Bob", "operator"}) {
		t.Errorf("users %v", got)
	}
	if got := w.cache.UserNamesWithPrefix("bo"); !slices.Equal(got, []string{"Bob"}) {
		t.Errorf("users with bo %v", got)
	}
	if got := w.cache.Members("ADMINS"); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("members %v", got)
	}
	if w.cache.Principal(Principal{Kind: Role, Name: "alice"}).Presence != Absent {
		t.Error("there is a role alice")
	}
	if w.cache.PolicyCount() != 2 || report.AllPolicies != 2 || report.Policies != 0 || report.Users != 3 || !report.First {
		t.Errorf("report %+v, policies %d", report, w.cache.PolicyCount())
	}
	w.create(testPolicy, grantA)
	if w.cache.PolicyCount() != 3 {
		t.Errorf("policies after one more: %d", w.cache.PolicyCount())
	}
}

func TestRefreshReportsPrincipalsThatCameWentOrChanged(t *testing.T) {
	w := newWorld(t)
	w.settle()
	ctx := t.Context()
	_, err := w.stranger.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol")})
	w.must(err)
	_, err = w.stranger.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("Bob")})
	w.must(err)
	_, err = w.stranger.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: aws.String("alice"), GroupName: aws.String("admins")})
	w.must(err)
	report := w.refresh()
	want := []Principal{bob, alice, {Kind: User, Name: "carol"}}
	if !slices.Equal(report.Principals, want) {
		t.Errorf("principals %v, want %v", report.Principals, want)
	}
	if w.cache.Principal(bob).Presence != Absent || w.cache.Members("admins") != nil {
		t.Error("the cache lags behind its report")
	}
}

func TestPointReadFindsAPrincipalThatCameSinceTheRefresh(t *testing.T) {
	w := newWorld(t)
	w.refresh()
	carol := Principal{Kind: User, Name: "carol"}
	w.must(w.aws.Account(testAccount).IAM.AddUser(fixtures.User{Name: "Carol", Path: "/x/"}))
	w.Operations()
	view, err := w.account.LookUpPrincipal(t.Context(), carol)
	w.must(err)
	w.wantCalls("GetUser")
	if view.Presence != Present || view.Name != "Carol" || view.Path != "/x/" || view.Complete {
		t.Errorf("view %+v", view)
	}
	if got := w.cache.UserNamesWithPrefix("car"); !slices.Equal(got, []string{"Carol"}) {
		t.Errorf("users %v", got)
	}
	_, err = w.stranger.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("carol")})
	w.must(err)
	view, err = w.account.LookUpPrincipal(t.Context(), carol)
	w.must(err)
	if view.Presence != Absent || w.cache.Principal(carol).Presence != Absent {
		t.Errorf("view %+v", view)
	}
}

func TestEveryKindOfPrincipalIsLookedUp(t *testing.T) {
	w := newWorld(t)
	for _, principal := range []Principal{alice, admins, deploy} {
		view, err := w.account.LookUpPrincipal(t.Context(), principal)
		w.must(err)
		if view.Presence != Present {
			t.Errorf("%s is %v", principal, view.Presence)
		}
		view, err = w.account.LookUpPrincipal(t.Context(), Principal{Kind: principal.Kind, Name: "nobody"})
		w.must(err)
		if view.Presence != Absent {
			t.Errorf("no such %s is %v", principal.Kind, view.Presence)
		}
	}
}

func TestFailedRefreshLeavesTheCacheAsItWas(t *testing.T) {
	fixture := emulated.Fixture()
	for i := range 1500 {
		fixture.Accounts[0].Users = append(fixture.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("user%04d", i)})
	}
	w := newWorldOf(t, fixture)
	first := w.refresh()
	if first.Users != 1503 || first.Pages < 2 {
		t.Fatalf("report %+v", first)
	}
	_, err := w.aws.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:GetAccountAuthorizationDetails", Nth: 2})
	w.must(err)
	if _, err := w.cache.Refresh(t.Context()); awserr.Classify(err) != awserr.Refused || awserr.Action(err) != "iam:GetAccountAuthorizationDetails" {
		t.Fatalf("got %v", err)
	}
	if got := len(w.cache.UserNamesWithPrefix("")); got != 1503 {
		t.Errorf("%d users", got)
	}
}

func TestShortAndEmptyPagesDoNotEndTheRead(t *testing.T) {
	fixture := emulated.Fixture()
	for i := range 1500 {
		fixture.Accounts[0].Users = append(fixture.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("user%04d", i)})
	}
	w := newWorldOf(t, fixture)
	w.aws.SetShortPages(1)
	for range 5 {
		if report := w.refresh(); report.Users != 1503 || report.Groups != 1 || report.Roles != 1 {
			t.Fatalf("report %+v", report)
		}
	}
}

func TestAllEmptyAnswerIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	w.refresh()
	inv := newInventory(w.cache.ownership, w.cache.policyARNPrefix(), w.cache.now())
	inv.add(&iam.GetAccountAuthorizationDetailsOutput{})
	_, err := w.cache.merge(inv)
	_ = wantError[*ImplausibleAnswerError](t, err)
	if !w.cache.filled() || len(w.cache.UserNamesWithPrefix("")) == 0 {
		t.Error("the cache was emptied")
	}
}

func TestWaitingForAnotherRefreshEndsWithTheContext(t *testing.T) {
	w := newWorld(t)
	w.cache.refreshing <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.cache.Refresh(ctx); awserr.Classify(err) != awserr.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestDocumentsAreDecodedWhateverTheirEncoding(t *testing.T) {
	const document = `{"Version":"2012-10-17","Statement":[{"Resource":"a+b %41 ${$}"}]}`
	for name, wire := range map[string]string{
		"as it is":    document,
		"by RFC 3986": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Resource%22%3A%22a+b%20%2541%20%24%7B%24%7D%22%7D%5D%7D",
	} {
		if got := decodeDocument(wire); got != document {
			t.Errorf("%s: %s", name, got)
		}
	}
}
