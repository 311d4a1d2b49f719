// Package gitops_test checks what the tools of GitOps make of the operator's objects: the
// table of docs/gitops.md, with objects that a real operator has brought into each phase.
package gitops_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// verdict is what the tools say about an object.
type verdict struct{ kstatus, argo, flux, helm string }

// row is a line of the table: phase, kstatus, Argo CD, Flux and Helm.
var row = regexp.MustCompile("(?m)^\\| ([a-z ]+) \\| [^|]+ \\| `(\\w+)` \\| `(\\w+)` \\| (\\w+) \\| (\\w+) \\|$")

// judge compares what the tools say with the table of docs/gitops.md.
type judge struct {
	scenario.World

	want  map[string]verdict
	tools *tools
}

func newJudge(t *testing.T, w scenario.World) judge {
	t.Helper()
	j := judge{World: w, want: map[string]verdict{}, tools: newTools(t, w.KubeconfigPath)}
	for _, match := range row.FindAllStringSubmatch(read(t, "../../docs/gitops.md"), -1) {
		j.want[match[1]] = verdict{kstatus: match[2], argo: match[3], flux: match[4], helm: match[5]}
	}
	if len(j.want) != 8 {
		t.Fatalf("the table has the phases %v", j.want)
	}
	if j.tools == nil {
		t.Log("FLUX_TOOL and HELM_TOOLS name no tools, so only kstatus and Argo CD's checks judge; \"make test\" builds the others")
	}
	return j
}

// objects judges objects by kstatus, which Flux and Helm use, and by Argo CD's check.
func (j judge) objects(phase string, objects ...client.Object) {
	j.T.Helper()
	for _, object := range objects {
		u := raw(j.T, fetch(j.World, object))
		result, err := status.Compute(u)
		j.Must(err)
		health := argoCD(j.T, read(j.T, argo+"/health.lua"), u)
		if want := j.want[phase]; string(result.Status) != want.kstatus || health.Status != want.argo {
			j.T.Errorf("a %T that is %s is %s to kstatus and %s to Argo CD (%s), and the table says %+v",
				object, phase, result.Status, health.Status, strings.TrimSpace(health.Message), want)
		}
	}
}

// access judges a SessionAccess by all of them.
func (j judge) access(phase string, access *v1alpha1.SessionAccess) {
	j.T.Helper()
	j.objects(phase, access)
	if j.tools == nil {
		return
	}
	j.expect(phase, "Flux", j.want[phase].flux, j.tools.fluxWaits(j.T, access))
	j.expect(phase, "Helm", j.want[phase].helm, j.tools.helmWaits(j.T, access))
}

// deletion judges one that is being deleted, or is gone, as Flux does.
func (j judge) deletion(phase string, access *v1alpha1.SessionAccess) {
	j.T.Helper()
	if j.tools != nil {
		j.expect(phase, "Flux", j.want[phase].flux, j.tools.fluxDeletes(j.T, access))
	}
}

// uninstallation judges one that Helm has installed and deletes.
func (j judge) uninstallation(phase string, access *v1alpha1.SessionAccess) {
	j.T.Helper()
	if j.tools != nil {
		j.expect(phase, "Helm", j.want[phase].helm, j.tools.helmDeletes(j.T, access))
	}
}

func (j judge) expect(phase, tool, want, got string) {
	j.T.Helper()
	if got != want {
		j.T.Errorf("for an access that is %s, the wait of %s %s, and the table says %s", phase, tool, got, want)
	}
}

func TestPhasesAreJudgedAsTheTableSays(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	j := newJudge(t, w)
	account, access := scenario.Account(), scenario.Access("g", "user01", scenario.PC01)
	w.Create(access)
	j.access("unseen", access)
	w.Manager(t, testenv.ManagerOptions{})
	j.access("waiting", w.AwaitAccess(access, v1alpha1.ReasonAccountNotFound))
	w.Create(account)
	j.access("granted", w.AwaitAccess(access, v1alpha1.ReasonGranted))

	refused := scenario.Access("r", "user02", scenario.PC02)
	refused.Spec.Regions = []v1alpha1.Region{"eu-west-1"}
	w.Create(refused)
	j.access("refused", w.AwaitAccess(refused, v1alpha1.ReasonRegionNotAllowed))
	scenario.Change(w, refused, func(a *v1alpha1.SessionAccess) { a.Spec.Regions = nil })
	j.access("granted", w.AwaitAccess(refused, v1alpha1.ReasonGranted)) // No failure is final.

	scenario.Change(w, access, func(a *v1alpha1.SessionAccess) { a.Spec.Suspend = true })
	j.access("suspended", w.AwaitAccess(access, v1alpha1.ReasonSuspended))
	past := metav1.NewTime(w.Clock.Now().Add(-time.Hour))
	scenario.Change(w, access, func(a *v1alpha1.SessionAccess) { a.Spec.Suspend, a.Spec.NotAfter = false, &past })
	w.AwaitAccess(access, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, access)
	j.access("expired", expired(w, access))

	w.Must(w.Client.Delete(t.Context(), refused))
	j.objects("revoking", w.AwaitAccess(refused, v1alpha1.ReasonEndingSessions))
	j.deletion("revoking", refused)
	j.uninstallation("revoking", refused)
	w.Advance(scenario.Window, refused)
	w.Must(testenv.WaitGone(t.Context(), w.Client, refused))
	j.deletion("deleted", refused)
	j.uninstallation("deleted", access) // Nothing is left to revoke, so it disappears at once.
	if want := j.want["deleted"]; want.kstatus != "NotFound" || want.argo != "Missing" {
		t.Errorf("the table says of an object that is gone %v", want)
	}
}

// TestOtherKindsAreJudgedAsTheTableSays has one object of each other kind, whose phases
// are those of an access.
func TestOtherKindsAreJudgedAsTheTableSays(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	j := newJudge(t, w)
	account := scenario.Account(scenario.AllowActivations(), scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}}))
	others := []client.Object{scenario.SessionDocument(), scenario.Activation("g"), scenario.AccountTier(v1alpha1.TierAdvanced)}
	w.Create(others...)
	j.objects("unseen", others...)
	w.Manager(t, testenv.ManagerOptions{})
	for _, object := range others {
		awaitReason(w, object, v1alpha1.ReasonAccountNotFound)
	}
	j.objects("waiting", others...)
	w.Create(account)
	for _, object := range others {
		_, err := testenv.WaitReady(t.Context(), w.Client, object)
		w.Must(err)
	}
	all := slices.Concat(others, []client.Object{account})
	j.objects("granted", all...)

	scenario.Change(w, account, func(a *v1alpha1.AWSAccount) { a.Spec.Suspend = true })
	for _, object := range all {
		awaitReason(w, object, v1alpha1.ReasonSuspended)
	}
	j.objects("suspended", all...)
	w.Must(w.Namespace(t.Context(), scenario.Team, nil))
	scenario.Change(w, account, func(a *v1alpha1.AWSAccount) { a.Spec.Suspend = false })
	for _, object := range others[:2] {
		awaitReason(w, object, v1alpha1.ReasonNamespaceNotAllowed)
	}
	j.objects("refused", others[:2]...)
	w.Must(w.Client.Delete(t.Context(), account))
	awaitReason(w, account, v1alpha1.ReasonInUse)
	j.objects("revoking", account)
}

// awaitReason waits until Ready of an object has a reason for the present generation.
func awaitReason(w scenario.World, object client.Object, reason string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, object, func(o client.Object) bool {
		_, conditions, _, _ := o.(v1alpha1.Object).StatusFields()
		ready := scenario.Condition(*conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == o.GetGeneration()
	})
	w.Must(err)
}

func fetch[T client.Object](w scenario.World, object T) T {
	w.T.Helper()
	w.Must(w.Client.Get(w.T.Context(), client.ObjectKeyFromObject(object), object))
	return object
}

// expired waits until the access is ready and not active.
func expired(w scenario.World, access *v1alpha1.SessionAccess) *v1alpha1.SessionAccess {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, access, func(a *v1alpha1.SessionAccess) bool {
		ready := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.ObservedGeneration == a.Generation && ready.Status == metav1.ConditionTrue &&
			scenario.Condition(a.Status.Conditions, v1alpha1.ConditionActive).Reason == v1alpha1.ReasonExpired
	})
	w.Must(err)
	return got
}
