package reachability_test

import (
	"slices"
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

// layout is what the operator says of a node in a network of a public report.
type layout struct {
	node string
	// status of TargetsReachable.
	status  metav1.ConditionStatus
	reasons []check.Reason
	// says and remedy are parts of the texts, in lower case.
	says, remedy []string
	// notSays are those that would blame what is not to blame for certain.
	notSays []string
}

var layouts = map[string]layout{
	// awslabs/data-on-eks#697: the endpoints' group lets in the private subnet only.
	"endpoints for another subnet": {"i-01000000000000001", metav1.ConditionFalse, []check.Reason{check.IngressBlocked}, []string{"sg-01000000000000002"}, nil, nil},
	// aws/aws-cdk#4589
	"endpoints' group without a rule": {"i-02000000000000002", metav1.ConditionFalse, []check.Reason{check.IngressBlocked}, []string{"sg-02000000000000002"}, nil, nil},
	// PaloAltoNetworks/lab-aws-gwlb-vmseries#60
	"firewall behind a Gateway Load Balancer": {"i-03000000000000003", metav1.ConditionFalse, nil, []string{"vpce-03000000000000009"}, nil, nil},
	// aws/amazon-ssm-agent#266: run command works, sessions do not.
	"NAT instance that was replaced": {"i-04000000000000004", metav1.ConditionFalse, []check.Reason{check.ChannelClosed}, nil, []string{"restart the agent"}, nil},
	// gchq/sleeper#6564
	"default group, emptied": {"i-05000000000000005", metav1.ConditionFalse, []check.Reason{check.EgressBlocked}, []string{"sg-05000000000000001"}, nil, nil},
	// ministryofjustice/modernisation-platform#13725
	"shared endpoints over a transit gateway": {"i-06000000000000006", metav1.ConditionTrue, []check.Reason{v1alpha1.ReasonTargetsConnected}, nil, nil, nil},
	// aws/amazon-ssm-agent#577: default host management is on, and the profile's role has nothing.
	"host management, IMDSv1": {"i-07000000000000007", metav1.ConditionFalse, nil, []string{"needs version 2 of the metadata service", "still allows version 1"}, nil, nil},
	"host management, IMDSv2": {"i-07000000000000008", metav1.ConditionFalse, []check.Reason{check.AgentNeverSeen}, nil, nil, []string{"still allows version 1"}},
	// aws/amazon-ssm-agent#55
	"rules out to ranges of AWS only": {"i-08000000000000008", metav1.ConditionFalse, []check.Reason{check.AgentNeverSeen}, nil, nil, nil},
	// kubernetes/kops#14462
	"role under a condition on the node": {"i-09000000000000001", metav1.ConditionFalse, []check.Reason{check.AgentOffline}, nil, nil, []string{"lacks"}},
	"minimal role":                       {"i-09000000000000002", metav1.ConditionFalse, []check.Reason{check.AgentOffline}, nil, nil, []string{"role"}},
}

func TestLayoutsOfPublicReportsAreJudged(t *testing.T) {
	fixture, err := fixtures.Load("testdata/layouts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := scenario.NewWith(t, testenv.Options{Fixture: fixture})
	// One agent reports over a NAT instance, and has no control channel.
	w.Must(w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Change("i-04000000000000004", func(n *fleet.Node) { n.Agent.Connected = false }))
	w.Manager(t, testenv.ManagerOptions{})
	w.Emulator.Advance(scenario.ResyncAfter)
	w.Create(scenario.Account())
	for name, l := range layouts {
		access := scenario.Access(strings.ToLower(strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(name)), "first.last", l.node)
		access.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartSSHSession"}}
		w.Create(access)
		got, err := testenv.WaitFor(t.Context(), w.Client, access, func(a *v1alpha1.SessionAccess) bool {
			return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable).Status != ""
		})
		w.Must(err)
		l.expect(t, name, got)
	}
}

func (l *layout) expect(t *testing.T, name string, got *v1alpha1.SessionAccess) {
	t.Helper()
	c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
	text, remedy := c.Message, ""
	for _, f := range got.Status.Targets.Failing {
		text, remedy = text+" "+f.Message, remedy+f.Remedy
	}
	text, remedy = strings.ToLower(text), strings.ToLower(remedy)
	if c.Status != l.status || len(l.reasons) > 0 && !slices.Contains(l.reasons, check.Reason(c.Reason)) {
		t.Errorf("%s: %s, %s, want %s, %s: %s; %s", name, c.Status, c.Reason, l.status, l.reasons, text, remedy)
	}
	lacks := func(in string, parts []string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(in, part) })
	}
	blames := slices.ContainsFunc(l.notSays, func(part string) bool { return strings.Contains(text, part) })
	if lacks(text, l.says) || lacks(remedy, l.remedy) || blames {
		t.Errorf("%s, %s: it says %q, and as a remedy %q", name, c.Reason, text, remedy)
	}
}
