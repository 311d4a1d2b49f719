package controllers_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const otherRegion = "eu-west-1"

// regionGate answers AccessDeniedException to an operation of SSM in a region, as a
// service control policy would.
type regionGate struct {
	region    string
	mu        sync.Mutex
	operation string
}

func (g *regionGate) refuse(operation string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.operation = operation
}

func (g *regionGate) refuses(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.operation != "" && strings.Contains(r.Header.Get("Authorization"), "/"+g.region+"/ssm/") &&
		strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+g.operation)
}

func (g *regionGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.refuses(r) {
		return http.DefaultTransport.RoundTrip(r)
	}
	text := `{"__type":"AccessDeniedException","message":"explicit deny in a service control policy"}`
	return &http.Response{
		StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Errortype": {"AccessDeniedException"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}

// twoRegions is a world with a gate before another region.
func twoRegions(t *testing.T) (world, *regionGate) {
	t.Helper()
	w := worldOf(t, testenv.Options{})
	gate := &regionGate{region: otherRegion}
	cfg := w.AWSConfig(w.Operator())
	cfg.HTTPClient = &http.Client{Transport: gate}
	w.Manager(t, testenv.ManagerOptions{AWS: &cfg})
	return w, gate
}

func inTwoRegions(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{otherRegion, region} }

// incomplete waits until a revocation names a region as incomplete.
func (w world) incomplete(obj *v1alpha1.SessionAccess, name, action string) {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Revocation != nil && len(a.Status.Revocation.Incomplete) > 0
	})
	w.must(err)
	regions := got.Status.Revocation.Incomplete
	if len(regions) != 1 || string(regions[0].Region) != name {
		w.t.Fatalf("incomplete are %+v", regions)
	}
	w.sentence(regions[0].Message, action)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, name, action)
}

func TestARegionThatCannotBeListedKeepsNoSessionOpenInTheOthers(t *testing.T) {
	w, gate := twoRegions(t)
	grant := access("g", "user01", pc01)
	w.create(account(inTwoRegions), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	gate.refuse("DescribeSessions")
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
	w.incomplete(grant, otherRegion, "ssm:DescribeSessions")
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	gate.refuse("")
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
}

// A region that hangs was not asked before the first session has ended.
func TestASessionEndsWhileAnotherRegionHangs(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: endless})
	grant := access("g", "user01", pc01)
	w.create(account(inTwoRegions), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	ids := w.hold(faults.Fault{Action: "ssm:DescribeSessions", Region: otherRegion})
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
	w.release(ids)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
}

// The region that hangs is the first in their order.
func TestARegionThatFailedIsAskedLast(t *testing.T) {
	const first = "af-south-1"
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: endless})
	one, two := access("one", "user01", pc01), access("two", "user02", pc02)
	w.create(account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{first, region} }), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	ofOne, ofTwo := w.open(user("user01"), pc01), w.open(user("user02"), pc02)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.ServerError, Action: "ssm:DescribeSessions", Region: first})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), one))
	w.untilEnded(ofOne)
	w.incomplete(one, first, "ssm:DescribeSessions")
	ids := w.hold(faults.Fault{Action: "ssm:DescribeSessions", Region: first})
	w.Emulator.RemoveFault(fault)
	w.must(w.Client.Delete(t.Context(), two))
	w.untilEnded(ofTwo)
	w.release(ids)
}

func TestBestEffortLeavesSessionsOnlyInRegionsThatCanNeverBeListed(t *testing.T) {
	w, gate := twoRegions(t)
	gate.refuse("DescribeSessions")
	main := account(inTwoRegions, func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	here, both := access("here", "user01", pc01), access("both", "user02", pc01)
	here.Spec.Regions = []v1alpha1.Region{region}
	w.create(main, here, both)
	w.accessIs(here, v1alpha1.ReasonGranted)
	w.accessIs(both, v1alpha1.ReasonGranted)
	got := w.accountIs(main, v1alpha1.ReasonVerified)
	ever := map[v1alpha1.Region]bool{}
	for _, l := range got.Status.SessionListing {
		ever[l.Region] = *l.EverListed
	}
	same(t, "the regions that could be listed", ever, map[v1alpha1.Region]bool{region: true, otherRegion: false})
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionSessionListing).Message, otherRegion, "ssm:DescribeSessions")
	one, two := w.open(user("user01"), pc01), w.open(user("user02"), pc01)
	for _, grant := range []*v1alpha1.SessionAccess{here, both} {
		w.must(w.Client.Delete(t.Context(), grant))
		w.accessIs(grant, v1alpha1.ReasonEndingSessions)
		w.advance(testWindow, grant)
	}
	w.untilEnded(one)
	w.untilEnded(two)
	w.touch(here)
	w.touch(both)
	w.must(testenv.WaitGone(t.Context(), w.Client, here))
	w.must(testenv.WaitGone(t.Context(), w.Client, both))
	w.announced(here, v1alpha1.ReasonSessionsEnded)
	w.announced(both, v1alpha1.ReasonSessionsNotChecked)
}

func TestASessionThatCannotBeTerminatedKeepsNoOtherOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	one, two := w.open(user("user01"), pc01), w.open(user("user01"), pc01)
	// Each round tries both, and the first of them fails.
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession", Nth: 1})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), grant))
	w.until(func() bool { return w.isOpen(one) != w.isOpen(two) })
	w.incomplete(grant, region, "ssm:TerminateSession")
	w.Emulator.RemoveFault(fault)
	w.touch(grant)
	w.untilEnded(one)
	w.untilEnded(two)
}

func TestANodeWhoseTagsCannotBeReadKeepsNoOtherSessionOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	tags := map[string]string{"Role": "step"}
	w.tagNode(pc01, tags)
	byID, byTag := access("by-id", "user01", pc01), access("by-tag", "user02")
	byTag.Spec.Targets = []v1alpha1.Target{{Tags: tags}}
	w.create(account(), byID, byTag)
	w.accessIs(byID, v1alpha1.ReasonGranted)
	w.accessIs(byTag, v1alpha1.ReasonGranted)
	one, two := w.open(user("user01"), pc01), w.open(user("user02"), pc01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ec2:DescribeInstances"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), byTag))
	w.incomplete(byTag, region, "ec2:DescribeInstances")
	w.must(w.Client.Delete(t.Context(), byID))
	w.untilEnded(one)
	w.openStill(two)
	w.Emulator.RemoveFault(fault)
	w.touch(byTag)
	w.untilEnded(two)
}

// An account begins to work once its regions were asked.
func TestRegionsThatHangTakeAsLongAsOne(t *testing.T) {
	w := worldWithoutManager(t)
	ids := w.hold(faults.Fault{Action: "ssm:DescribeSessions"})
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: endless})
	w.create(account(inTwoRegions))
	w.until(func() bool {
		held := 0
		for _, c := range w.Emulator.CallLog(0) {
			if c.Fault != "" && !c.Done {
				held++
			}
		}
		return held == 2
	})
	w.release(ids)
	w.accountIs(account(), v1alpha1.ReasonVerified)
}
