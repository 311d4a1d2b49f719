package main

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func TestWhatALoadGrantsExistsInItsAccount(t *testing.T) {
	l := load{users: 4, each: 3, fleets: 2}
	region := fixtures.Region{}
	l.machines()(nil, &region)
	there := map[v1alpha1.InstanceID]bool{}
	for _, i := range region.Instances {
		there[v1alpha1.InstanceID(i.ID)] = true
	}
	grants := map[string]bool{}
	for _, a := range l.accesses(names("user", l.users)) {
		grants[a.Name] = true
		for _, id := range a.Spec.Targets[0].InstanceIDs {
			if !there[id] {
				t.Errorf("grant %s is for %s, which the account does not have", a.Name, id)
			}
		}
	}
	if len(grants) != l.grants() {
		t.Errorf("there are %d grants of different names, want %d", len(grants), l.grants())
	}
}

func TestBudgetsFollowTheirSizes(t *testing.T) {
	if got := (fleet{nodes: 1000, offline: 20, vpcs: 5}).budget(); got != 140 {
		t.Errorf("a look at the fleet may take %v calls, want 140", got)
	}
	k := kinds{documents: 100, activations: 100, each: 10}
	if d, a := k.documentCalls(), k.activationCalls(); d != 2 || a != 42 {
		t.Errorf("documents may take %v calls and activations %v, want 2 and 42", d, a)
	}
}
