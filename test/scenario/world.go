package scenario

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The account, the region and the instances of the fixture.
const (
	AccountID = "488821267897"
	Region    = "ap-northeast-1"
	PC01      = "i-051cac51072605f39"
	PC02      = "i-0ee187d8794b12114"
	Team      = "team-a"
)

const (
	// Window is longer than IAM's consistency window, which the tests' clock
	// jumps over.
	Window = awsclient.ConsistencyWindow + 2*time.Second
	// ResyncInterval is short, where a test is about what a resync finds.
	ResyncInterval = 2 * time.Second
)

// World is one test's AWS, cluster and operator.
type World struct {
	*testenv.Env
	T *testing.T
}

// New starts an emulated AWS that judges every caller, an operator, and
// the namespace team-a.
func New(t *testing.T, o testenv.ManagerOptions) World {
	t.Helper()
	w := NewWithoutManager(t)
	w.Manager(t, o)
	return w
}

// NewWithoutManager is a world whose operator the test starts.
func NewWithoutManager(t *testing.T) World {
	t.Helper()
	w := NewWith(t, testenv.Options{})
	t.Cleanup(w.ExpectNoRefusedCall)
	return w
}

// NewWith is a world with an AWS of its own sort.
func NewWith(t *testing.T, o testenv.Options) World {
	t.Helper()
	o.Cluster = Cluster(t)
	w := World{Env: testenv.New(t, o), T: t}
	w.Must(w.Namespace(t.Context(), Team, map[string]string{"team": "a"}))
	return w
}

// ExpectNoRefusedCall checks that config/iam allows the operator all that it asked
// for. Refusals that a test injects do not count, and neither do those of STS,
// which are about who one is.
func (w World) ExpectNoRefusedCall() {
	for _, call := range w.Emulator.CallLog(0) {
		refused := strings.HasPrefix(call.Code, "AccessDenied") || call.Code == "UnauthorizedOperation"
		if refused && call.Fault == "" && call.Service != "sts" && strings.Contains(call.Caller, "ssm-access-operator") {
			w.T.Errorf("the operator was refused %s:%s, which config/iam does not allow", call.Service, call.Operation)
		}
	}
}

// Must ends the test on an error.
func (w World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// ExpectSentence checks that a message reads as one and holds what it should name.
func (w World) ExpectSentence(message string, names ...string) {
	w.T.Helper()
	if !strings.HasSuffix(message, ".") || len(message) < 20 {
		w.T.Errorf("%q is no sentence", message)
	}
	for _, name := range names {
		if !strings.Contains(message, name) {
			w.T.Errorf("%q does not name %q", message, name)
		}
	}
}

// Advance moves the clock of AWS and of the operator, and triggers a reconcile of an
// object: timers of the work queue run on the machine's clock.
func (w World) Advance(d time.Duration, objects ...client.Object) {
	w.T.Helper()
	w.Emulator.Advance(d)
	for _, obj := range objects {
		w.Touch(obj)
	}
}

// Touch triggers a reconcile of an object, which may be gone.
func (w World) Touch(obj client.Object) {
	w.T.Helper()
	w.Annotate(obj, map[string]string{})
}

// Annotate adds annotations to an object, and one by which it changes in any
// case. It may have gone by itself in between.
func (w World) Annotate(obj client.Object, add map[string]string) {
	w.T.Helper()
	add["test/touched"] = w.Clock.Now().Format(time.RFC3339Nano) + time.Now().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": add}})
	w.Must(err)
	w.Must(client.IgnoreNotFound(w.Client.Patch(w.T.Context(), obj, client.RawPatch(types.MergePatchType, patch))))
}

// SetNodeTags gives a node of the emulated fleet other tags.
func (w World) SetNodeTags(id string, tags map[string]string) {
	w.T.Helper()
	w.Must(w.Emulator.Account(AccountID).Region(Region).Fleet.Change(id, func(n *fleet.Node) { n.Tags = tags }))
}

// IAM is the emulated IAM of the fixture's account.
func (w World) IAM() *emuiam.Account { return w.Emulator.Account(AccountID).IAM }

// Stranger is a namespace that no account allows.
const Stranger = "stranger"
