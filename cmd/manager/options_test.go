package main

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

func TestFlagsThatDoNotFitAreRefusedWithTheWayOut(t *testing.T) {
	for args, want := range map[string]string{
		"--account-selector=a=b=c":               "--account-selector",
		"--leader-elect --account-selector=team": "--leader-election-id",
		"--leader-elect --leader-election-id=":   "--leader-election-id",
		"--owner-id=XYZ":                         "--owner-id",
		"--aws-rate=0":                           "--aws-rate",
		"--resync-interval=1ms --aws-burst=5":    "--resync-interval",
		"run":                                    "flags only",
	} {
		_, err := parseOptions(strings.Fields(args), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not name %s", args, err, want)
		}
	}
}

func TestAManagerOfSomeAccountsNamesItsLease(t *testing.T) {
	o, err := parseOptions(strings.Fields("--leader-elect --account-selector=shard=a --leader-election-id=manager-a.ssm-access.dev"), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if !o.accountSelector.Matches(labels.Set{"shard": "a"}) || o.accountSelector.Matches(labels.Set{}) {
		t.Errorf("the selector is %q", o.accountSelector)
	}
}

func TestTheProfilerIsOffUnlessAskedFor(t *testing.T) {
	o, err := parseOptions(nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if o.pprofAddress != "0" || o.accountSelector != nil {
		t.Errorf("the defaults are %+v", o)
	}
}
