package ssm

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const (
	pc01     = "i-051cac51072605f39"
	pc02     = "i-0ee187d8794b12114"
	aliceARN = "arn:aws:iam::" + testAccount + ":user/alice"
	bobARN   = "arn:aws:iam::" + testAccount + ":user/team/Bob"
)

func newWorldWithNodes(t *testing.T, options ...option) *world {
	t.Helper()
	fixture := emulated.Fixture()
	fixture.Accounts[0].Regions = map[string]fixtures.Region{testRegion: {Instances: []fixtures.Instance{
		{ID: pc01, Tags: map[string]string{"Env": "stg", "名前": "端末"}, Agent: &fixtures.Agent{PlatformType: "Linux"}},
		{ID: pc02, Agent: &fixtures.Agent{PlatformType: "Linux"}},
	}}}
	return newWorldOf(t, fixture, options...)
}

func (w *world) open(owner, target string) string {
	w.t.Helper()
	id, err := w.aws.OpenSession(owner, testRegion, target, "")
	w.must(err)
	return id
}

func TestActiveSessionsAreListedWholeAndByOwnerAndTarget(t *testing.T) {
	w := newWorldWithNodes(t)
	for range 250 {
		w.open(aliceARN, pc01)
	}
	other := w.open(bobARN, pc02)
	w.must(w.region.CanListSessions(t.Context()))
	for _, c := range []struct {
		filter SessionFilter
		want   int
	}{
		{SessionFilter{}, 251},
		{SessionFilter{OwnerARN: aliceARN}, 250},
		{SessionFilter{Target: pc02}, 1},
		{SessionFilter{OwnerARN: aliceARN, Target: pc02}, 0},
	} {
		sessions, err := w.region.ActiveSessions(t.Context(), c.filter)
		w.must(err)
		if len(sessions) != c.want {
			t.Errorf("%+v: %d sessions, want %d", c.filter, len(sessions), c.want)
		}
	}
	sessions, err := w.region.ActiveSessions(t.Context(), SessionFilter{Target: pc02})
	w.must(err)
	want := Session{
		ID: other, Owner: bobARN, Target: pc02, Document: "SSM-SessionManagerRunShell",
		Status: "Connected", Start: sessions[0].Start,
	}
	if sessions[0] != want || want.Start.IsZero() {
		t.Errorf("session %+v, want %+v", sessions[0], want)
	}
}

func TestEndedSessionIsNoLongerListed(t *testing.T) {
	w := newWorldWithNodes(t)
	id := w.open(aliceARN, pc01)
	stays := w.open(bobARN, pc01)
	for range 2 { // over already is fine
		w.must(w.region.TerminateSession(t.Context(), id))
	}
	sessions, err := w.region.ActiveSessions(t.Context(), SessionFilter{})
	w.must(err)
	if len(sessions) != 1 || sessions[0].ID != stays {
		t.Errorf("sessions %+v, want %s alone", sessions, stays)
	}
}

func TestRefusedListingOfSessionsNamesTheAction(t *testing.T) {
	w := newWorldWithNodes(t)
	w.strike(faults.AccessDenied, "ssm:DescribeSessions", 0)
	err := w.region.CanListSessions(t.Context())
	want := "AWS refused ssm:DescribeSessions (AccessDeniedException) for listing the sessions in ap-northeast-1: " +
		"allow that action to arn:aws:iam::488821267897:root."
	if awserr.Classify(err) != awserr.Refused || awserr.UserMessage(err) != want {
		t.Errorf("%s: %s", awserr.Classify(err), awserr.UserMessage(err))
	}
}

// hybridNodes answers what the emulator does not: the tags of hybrid nodes.
type hybridNodes struct{ aws.HTTPClient }

func (h hybridNodes) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "AmazonSSM.ListTagsForResource" {
		return h.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer := 200, `{"TagList":[{"Key":"Env","Value":"branch"}]}`
	if !strings.Contains(string(body), `"ResourceType":"ManagedInstance"`) || !strings.Contains(string(body), "mi-0123456789abcdef0") {
		status, answer = 400, `{"__type":"InvalidResourceId"}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

func TestTagsOfNodesOfBothKindsAreReadAndMissingOnesLeftOut(t *testing.T) {
	w := newWorldWithNodes(t, func(o *awsclient.Options) { o.Base.HTTPClient = hybridNodes{o.Base.HTTPClient} })
	ids := []string{pc01, "mi-0123456789abcdef0", "mi-00000000000000000", pc02}
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("i-%017x", i))
	}
	tags, err := w.region.NodeTags(t.Context(), ids)
	w.must(err)
	if got := slices.Sorted(maps.Keys(tags)); !slices.Equal(got, []string{pc01, pc02, "mi-0123456789abcdef0"}) {
		t.Errorf("nodes %v", got)
	}
	if tags[pc01]["Env"] != "stg" || tags[pc01]["名前"] != "端末" || len(tags[pc02]) != 0 || tags["mi-0123456789abcdef0"]["Env"] != "branch" {
		t.Errorf("tags %v", tags)
	}
	w.wantCalls("ListTagsForResource", "ListTagsForResource", "DescribeInstances", "DescribeInstances")
}

func TestANodeWhoseTagsCannotBeReadKeepsNoOtherUnread(t *testing.T) {
	w := newWorldWithNodes(t)
	const hybrid = "mi-0123456789abcdef0"
	fault, err := w.aws.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:ListTagsForResource"})
	w.must(err)
	tags, err := w.region.NodeTags(t.Context(), []string{hybrid, pc01})
	unread, ok := errors.AsType[*UnreadNodesError](err)
	if !ok || len(unread.Nodes) != 1 || unread.Nodes[hybrid] == nil || tags[pc01]["Env"] != "stg" {
		t.Errorf("tags %v, error %v", tags, err)
	}
	if sentence := awserr.UserMessage(err); !strings.Contains(sentence, "ssm:ListTagsForResource") {
		t.Errorf("the sentence is %q", sentence)
	}
	w.aws.RemoveFault(fault)
	_, err = w.aws.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ec2:DescribeInstances"})
	w.must(err)
	_, err = w.region.NodeTags(t.Context(), []string{pc01, pc02})
	if unread, ok = errors.AsType[*UnreadNodesError](err); !ok || len(unread.Nodes) != 2 {
		t.Errorf("error %v", err)
	}
}
