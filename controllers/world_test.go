package controllers_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

var cluster *testenv.Cluster

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, &cluster)) }

// The account, the region and the instances of the fixture.
const (
	accountID = "488821267897"
	region    = "ap-northeast-1"
	pc01      = "i-051cac51072605f39"
	pc02      = "i-0ee187d8794b12114"
	team      = "team-a"
)

const (
	// testWindow is longer than IAM's consistency window, which the tests' clock
	// jumps over.
	testWindow = cloud.ConsistencyWindow + 2*time.Second
	// testResync is short, where a test is about what a resync finds.
	testResync = 2 * time.Second
)

// world is one test's AWS, cluster and operator.
type world struct {
	*testenv.Env
	t *testing.T
}

// newWorld starts an emulated AWS that judges every caller, an operator, and
// the namespace team-a.
func newWorld(t *testing.T, o testenv.ManagerOptions) world {
	t.Helper()
	w := worldWithoutManager(t)
	w.Manager(t, o)
	return w
}

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	w := worldOf(t, testenv.Options{})
	t.Cleanup(w.nothingWasMissing)
	return w
}

// worldOf is a world with an AWS of its own sort.
func worldOf(t *testing.T, o testenv.Options) world {
	t.Helper()
	o.Cluster = cluster
	w := world{Env: testenv.New(t, o), t: t}
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "a"}))
	return w
}

// nothingWasMissing checks that config/iam allows the operator all that it asked
// for. Refusals that a test injects do not count, and neither do those of STS,
// which are about who one is.
func (w world) nothingWasMissing() {
	for _, call := range w.Emulator.CallLog(0) {
		refused := strings.HasPrefix(call.Code, "AccessDenied") || call.Code == "UnauthorizedOperation"
		if refused && call.Fault == "" && call.Service != "sts" && strings.Contains(call.Caller, "ssm-access-operator") {
			w.t.Errorf("the operator was refused %s:%s, which config/iam does not allow", call.Service, call.Operation)
		}
	}
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func account(change ...func(*v1alpha1.AWSAccount)) *v1alpha1.AWSAccount {
	a := &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: accountID,
			Regions:   []v1alpha1.Region{region},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{
				From:     v1alpha1.NamespacesSelector,
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			},
		},
	}
	for _, c := range change {
		c(a)
	}
	return a
}

func access(name, user string, ids ...string) *v1alpha1.SessionAccess {
	target := v1alpha1.Target{}
	for _, id := range ids {
		target.InstanceIDs = append(target.InstanceIDs, v1alpha1.InstanceID(id))
	}
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: team},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
			Targets:    []v1alpha1.Target{target},
		},
	}
}

// create creates objects as a user of kubectl would.
func (w world) create(objects ...client.Object) {
	w.t.Helper()
	for _, obj := range objects {
		w.must(w.Client.Create(w.t.Context(), obj))
	}
}

// change edits an object.
func change[T client.Object](w world, obj T, edit func(T)) {
	w.t.Helper()
	w.must(w.Client.Get(w.t.Context(), client.ObjectKeyFromObject(obj), obj))
	before := obj.DeepCopyObject().(T)
	edit(obj)
	w.must(w.Client.Patch(w.t.Context(), obj, client.MergeFrom(before)))
}

func condition(conditions []metav1.Condition, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// accessIs waits until Ready of a SessionAccess has a reason for the present
// generation, and returns the object.
func (w world) accessIs(obj *v1alpha1.SessionAccess, reason string) *v1alpha1.SessionAccess {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		ready := condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.must(err)
	return got
}

// accountIs waits until Ready of an AWSAccount has a reason.
func (w world) accountIs(obj *v1alpha1.AWSAccount, reason string) *v1alpha1.AWSAccount {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.AWSAccount) bool {
		ready := condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.must(err)
	return got
}

// sentence checks that a message reads as one and holds what it should name.
func (w world) sentence(message string, names ...string) {
	w.t.Helper()
	if !strings.HasSuffix(message, ".") || len(message) < 20 {
		w.t.Errorf("%q is no sentence", message)
	}
	for _, name := range names {
		if !strings.Contains(message, name) {
			w.t.Errorf("%q does not name %q", message, name)
		}
	}
}

// may asks the emulated AWS whether a user could open a session on a node.
func (w world) may(user, node string) bool {
	w.t.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + accountID + ":user/" + user, Region: region, Target: node,
	})
	w.must(err)
	return answer.Allowed
}

// grid checks who may open sessions where: user01 on PC01 and PC02, then user02.
func (w world) grid(want ...bool) {
	w.t.Helper()
	i := 0
	for _, user := range []string{"user01", "user02"} {
		for _, node := range []string{pc01, pc02} {
			if got := w.may(user, node); got != want[i] {
				w.t.Errorf("%s on %s: allowed = %v, want %v", user, node, got, want[i])
			}
			i++
		}
	}
}

// writes counts the calls that changed IAM.
func (w world) writes() int {
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if call.Service == "iam" && call.Write && call.Code == "" {
			n++
		}
	}
	return n
}

// advance moves the clock of AWS and of the operator, and triggers a reconcile of an
// object: timers of the work queue run on the machine's clock.
func (w world) advance(d time.Duration, objects ...client.Object) {
	w.t.Helper()
	w.Emulator.Advance(d)
	for _, obj := range objects {
		w.touch(obj)
	}
}

func (w world) touch(obj client.Object) {
	w.t.Helper()
	w.annotations(obj, map[string]string{})
}

// annotations adds annotations to an object, and one by which it changes in any
// case. It may have gone by itself in between.
func (w world) annotations(obj client.Object, add map[string]string) {
	w.t.Helper()
	add["test/touched"] = w.Clock.Now().Format(time.RFC3339Nano) + time.Now().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": add}})
	w.must(err)
	w.must(client.IgnoreNotFound(w.Client.Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, patch))))
}

// until waits for something in AWS, which changes with its calls.
func (w world) until(holds func() bool) {
	w.t.Helper()
	w.must(w.Until(w.t.Context(), holds))
}

// tagNode gives a node of the emulated fleet other tags.
func (w world) tagNode(id string, tags map[string]string) {
	w.t.Helper()
	w.must(w.Emulator.Account(accountID).Region(region).Fleet.Change(id, func(n *fleet.Node) { n.Tags = tags }))
}

func user(name string) string { return "arn:aws:iam::" + accountID + ":user/" + name }

func keyOf(obj client.Object) client.ObjectKey { return client.ObjectKeyFromObject(obj) }

// open opens a session without asking whether it may be, and returns its id.
func (w world) open(owner, node string) string {
	w.t.Helper()
	id, err := w.Emulator.OpenSession(owner, region, node, "")
	w.must(err)
	return id
}

func (w world) isOpen(id string) bool {
	w.t.Helper()
	session, ok := w.Emulator.Account(accountID).Region(region).SSM.Session(id)
	return ok && session.Ended.IsZero()
}

func (w world) untilEnded(id string) {
	w.t.Helper()
	w.until(func() bool { return !w.isOpen(id) })
}

func (w world) openStill(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if !w.isOpen(id) {
			w.t.Errorf("session %s was ended, and had nothing to do with what was revoked", id)
		}
	}
}

// activeIs waits until Active of a SessionAccess has a reason.
func (w world) activeIs(obj *v1alpha1.SessionAccess, reason string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionActive).Reason == reason
	})
	w.must(err)
}

// announced waits for the one event of a reason that regards an object: events
// are written in the background.
func (w world) announced(obj client.Object, reason string) {
	w.t.Helper()
	w.must(testenv.WaitCount(w.t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Reason == reason && e.Regarding.UID == obj.GetUID()
	}))
}

// looked waits until the nodes of a SessionAccess have been checked, which is the last
// thing that is reported of a new one.
func (w world) looked(obj *v1alpha1.SessionAccess) *v1alpha1.SessionAccess {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable).Reason != ""
	})
	w.must(err)
	return got
}

// noticed waits until a SessionAccess has a condition that is True.
func (w world) noticed(obj *v1alpha1.SessionAccess, kind string) metav1.Condition {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, kind).Status == metav1.ConditionTrue
	})
	w.must(err)
	return condition(got.Status.Conditions, kind)
}

// addPolicy puts a policy into the account behind the operator's back.
func (w world) addPolicy(p fixtures.Policy) {
	w.t.Helper()
	_, err := w.Emulator.Account(accountID).IAM.AddPolicy(p)
	w.must(err)
}
