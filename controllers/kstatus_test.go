package controllers_test

import (
	"slices"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// kstatus takes an object without a status for current: Flux and Helm would go on while
// no manager has reconciled it.
func TestAnObjectThatNoManagerHasSeenIsInProgress(t *testing.T) {
	w := worldWithoutManager(t)
	fresh := readReported[v1alpha1.SessionAccess](w, "flux-fresh.yaml")
	objects := []v1alpha1.Object{
		fresh, scenario.Account(), scenario.SessionDocument(), scenario.Activation("hybrid"), scenario.AccountTier(v1alpha1.TierAdvanced),
	}
	for _, kind := range v1alpha1.Kinds() {
		if !slices.ContainsFunc(objects, func(obj v1alpha1.Object) bool { return v1alpha1.KindOf(obj) == v1alpha1.KindOf(kind) }) {
			t.Errorf("no %s is tried", v1alpha1.KindOf(kind))
		}
	}
	for _, obj := range objects {
		w.Create(obj)
		w.Must(w.Client.Get(t.Context(), scenario.KeyOf(obj), obj))
		if got := w.kstatus(obj); got != status.InProgressStatus {
			t.Errorf("a %s that no manager has seen is %s to kstatus", v1alpha1.KindOf(obj), got)
		}
	}
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitAccess(fresh, v1alpha1.ReasonPrincipalNotFound)
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(fresh), fresh))
	if got := w.kstatus(fresh); got != status.InProgressStatus {
		t.Errorf("a grant to a user who does not exist yet is %s to kstatus", got)
	}
}

func (w world) kstatus(obj client.Object) status.Status {
	w.T.Helper()
	u := &unstructured.Unstructured{}
	w.Must(w.Client.Scheme().Convert(obj, u, nil))
	result, err := status.Compute(u)
	w.Must(err)
	return result.Status
}

func TestKStatusFollowsAnAccessThroughEveryPhase(t *testing.T) {
	w := worldWithoutManager(t)
	grant := scenario.Access("grant", "newcomer", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions // Ending them takes a minute.
	versions, err := w.Client.Watch(t.Context(), &v1alpha1.SessionAccessList{}, client.InNamespace(scenario.Team))
	w.Must(err)
	defer versions.Stop()
	w.Create(grant)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
	w.Create(scenario.Account())
	w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.Must(w.IAM().AddUser(fixtures.User{Name: "newcomer"}))
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	for _, region := range []v1alpha1.Region{"eu-north-1", scenario.Region} {
		scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Regions = []v1alpha1.Region{region} })
		reason := v1alpha1.ReasonGranted
		if region != scenario.Region {
			reason = v1alpha1.ReasonRegionNotAllowed
		}
		w.AwaitAccess(grant, reason)
	}
	w.Must(w.Client.Delete(t.Context(), grant))
	w.goes(grant)

	var phases []string
	for event := range versions.ResultChan() {
		if event.Type == watch.Deleted {
			break
		}
		phase := w.expectPhase(event.Object.(*v1alpha1.SessionAccess))
		if len(phases) == 0 || phases[len(phases)-1] != phase {
			phases = append(phases, phase)
		}
	}
	for _, want := range []string{
		"InProgress ", "InProgress AccountNotFound", "InProgress PrincipalNotFound", "Current Granted", "Failed RegionNotAllowed", "Terminating ",
	} {
		at := slices.Index(phases, want)
		if at < 0 {
			t.Fatalf("no phase %q, or not in this order, in %q", want, phases)
		}
		phases = phases[at:]
	}
}

// expectPhase compares what kstatus makes of a version of an object with what its
// conditions mean.
func (w world) expectPhase(access *v1alpha1.SessionAccess) string {
	w.T.Helper()
	got := w.kstatus(access)
	conditions := access.Status.Conditions
	ready := scenario.Condition(conditions, v1alpha1.ConditionReady)
	observed := ready.Type != "" && ready.ObservedGeneration == access.Generation
	want := status.InProgressStatus
	switch {
	case access.DeletionTimestamp != nil:
		return string(got) + " "
	case observed && meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady):
		want = status.CurrentStatus
	case observed && meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		want = status.FailedStatus
	}
	if got != want {
		w.T.Errorf("generation %d with Ready %s/%s of generation %d is %s to kstatus, want %s",
			access.Generation, ready.Status, ready.Reason, ready.ObservedGeneration, got, want)
	}
	if !observed {
		return string(got) + " "
	}
	return string(got) + " " + ready.Reason
}
