package reachability_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Nodes of cloud connectors and of Greengrass have ids like those of activations.
func TestNodesOfOtherCloudsAreTargetedAndNamedForWhatTheyAre(t *testing.T) {
	w := scenario.New(t, testenv.ManagerOptions{})
	kinds := map[string]string{
		"Microsoft.Compute/virtualMachines": "Azure virtual machine", "compute.googleapis.com/Instance": "Google Compute Engine instance",
		"AWS::IoT::Thing": "Greengrass core device",
	}
	ids := map[string]string{}
	for i, source := range []string{"AWS::IoT::Thing", "Microsoft.Compute/virtualMachines", "compute.googleapis.com/Instance"} {
		id := "mi-0000000000000000" + string(rune('1'+i))
		ids[id] = kinds[source] + " there-" + id
		w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Put(&fleet.Node{
			ID: id, Managed: true, Launched: w.Clock.Now(), Tags: map[string]string{"Env": "stg"},
			Source: fixtures.Source{Type: source, ID: "there-" + id}, Agent: fleet.NewAgent(fixtures.Agent{Offline: i > 0}, w.Clock.Now().Add(-scenario.ResyncAfter)),
		})
	}
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	byID, byTag := scenario.Access("by-id", "user01"), scenario.Access("by-tag", "user02")
	for id := range ids {
		byID.Spec.Targets[0].InstanceIDs = append(byID.Spec.Targets[0].InstanceIDs, v1alpha1.InstanceID(id))
	}
	byTag.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	w.Create(scenario.Account(), tier, byID, byTag)
	counted, err := testenv.WaitFor(t.Context(), w.Client, tier, func(a *v1alpha1.AccountTier) bool {
		return a.Status.HybridNodes != nil && *a.Status.HybridNodes == 3
	})
	w.Must(err)
	if counted.Status.USDPerMonth == "" {
		t.Error("they cost nothing")
	}
	for _, access := range []*v1alpha1.SessionAccess{byID, byTag} {
		got, err := testenv.WaitFor(t.Context(), w.Client, access, func(a *v1alpha1.SessionAccess) bool {
			return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable).Status == metav1.ConditionFalse && len(a.Status.Targets.Failing) >= 2
		})
		w.Must(err)
		if *got.Status.Targets.Total != 3 {
			t.Errorf("%s has %d targets", access.Name, *got.Status.Targets.Total)
		}
		for _, f := range got.Status.Targets.Failing {
			if f.Kind != ids[f.ID] || f.Reason == string(check.InstanceNotFound) || f.Reason == string(check.RoleNotFound) {
				t.Errorf("%+v, want %q", f, ids[f.ID])
			}
		}
	}
	for _, call := range w.Emulator.CallLog(0) {
		for _, value := range call.Parameters {
			if call.Service == "ec2" && strings.Contains(value, "mi-") {
				t.Errorf("EC2 was asked about a node of another cloud: %s %v", call.Operation, call.Parameters)
			}
		}
	}
}
