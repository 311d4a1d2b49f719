package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func TestARestartIsTheFirstRemedyWhereTheAgentReportsOverTheSameRoute(t *testing.T) {
	reports := onAgent(func(a *check.Agent) { a.PingStatus, a.LastPing = "Online", noon.Add(-time.Minute) })
	const restart = "else restart the agent, whose reports come over the same route"
	for story, c := range map[string]struct {
		change  func(*check.Facts)
		restart bool
	}{
		"endpoints":           {reports, false},
		"a NAT gateway":       {together(reports, noSSM, routed(nat)), true},
		"a transit gateway":   {together(reports, noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "tgw-1"})), true},
		"one endpoint":        {together(reports, without("ssmmessages"), routed(nat)), false},
		"hidden endpoints":    {together(reports, routed(nat), erasures["endpoints"]), false},
		"nothing is reported": {together(noSSM, routed(nat)), false},
	} {
		first, failed := check.FirstFailure(check.Judge(changed(stack(), c.change)))
		if !failed || strings.Contains(first.Remedy, restart) != c.restart {
			t.Errorf("%s: %+v", story, first)
		}
		if c.restart && (!strings.HasPrefix(first.Remedy, "Wait two minutes") || !strings.HasPrefix(first.Message, "The agent of")) {
			t.Errorf("%s: what is doubtful about the route comes first: %+v", story, first)
		}
	}
}

func TestWhereDefaultHostManagementMayStandInItsMetadataVersionIsReported(t *testing.T) {
	optional := onInstance(func(i *check.Instance) { i.Metadata.Tokens = "optional" })
	for story, c := range map[string]struct {
		change func(*check.Facts)
		name   check.Name
	}{
		"no profile":           {managed, check.CheckInstanceProfile},
		"a profile of no role": {together(managedRole, onRole(func(r *check.Role) { *r = check.Role{} })), check.CheckInstanceProfile},
		"a permission missing": {together(managedRole, disallow("ssm:UpdateInstanceInformation", instances)), check.CheckRolePermissions},
		"a role for others": {together(managedRole, onRole(func(r *check.Role) {
			r.Trust = check.Is(trust("lambda.amazonaws.com"))
		})), check.CheckRoleTrust},
	} {
		with, _ := find(check.Judge(changed(stack(), c.change, optional)), c.name)
		without, _ := find(check.Judge(changed(stack(), c.change)), c.name)
		if with.Result != check.Warn || !strings.Contains(with.Remedy, "--http-tokens required") {
			t.Errorf("%s: %+v", story, with)
		}
		if strings.Contains(without.Remedy, "--http-tokens") {
			t.Errorf("%s, with version 2: %+v", story, without)
		}
	}
}
