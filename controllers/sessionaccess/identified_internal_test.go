package sessionaccess

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

func userOf(name string) v1alpha1.Principal {
	return v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name}
}

func idOf(name, id string) v1alpha1.PrincipalID {
	return v1alpha1.PrincipalID{Kind: v1alpha1.PrincipalUser, Name: name, ID: id}
}

func TestIDsStayWithTheGrantThatNamesThem(t *testing.T) {
	t.Parallel()
	record := &v1alpha1.AppliedAccess{Granted: &v1alpha1.ResolvedGrant{
		Principals:   []v1alpha1.Principal{userOf("alice"), userOf("bob")},
		PrincipalIDs: []v1alpha1.PrincipalID{idOf("alice", "AIDAALICE"), idOf("bob", "AIDABOB")},
	}}
	judged := &v1alpha1.ResolvedGrant{Principals: []v1alpha1.Principal{userOf("carol"), userOf("Bob")}}
	carried := carryIDs(judged, record)
	if want := []v1alpha1.PrincipalID{idOf("Bob", "AIDABOB")}; !slices.Equal(carried.PrincipalIDs, want) {
		t.Errorf("carried are %v, want %v: who is not named loses the id", carried.PrincipalIDs, want)
	}
	if len(judged.PrincipalIDs) != 0 {
		t.Error("the judged grant was changed in place")
	}
	if carryIDs(nil, record) != nil || carryIDs(judged, nil) != judged {
		t.Error("without a grant or a record there is something to carry")
	}
}

func TestOnlyTheIDThatWasGrantedIsRecorded(t *testing.T) {
	t.Parallel()
	const uid = types.UID("u")
	record := &v1alpha1.AppliedAccess{Serial: 7, Granted: &v1alpha1.ResolvedGrant{
		Principals:   []v1alpha1.Principal{userOf("alice"), userOf("bob"), userOf("carol")},
		PrincipalIDs: []v1alpha1.PrincipalID{idOf("bob", "AIDABOB")},
	}}
	observed := map[string]grants.Observation{
		"alice": {Included: true, State: v1alpha1.PrincipalGranted, PrincipalID: "AIDAALICE"},
		// Another user has the name now, and gets nothing.
		"bob":   {Included: true, State: v1alpha1.PrincipalRefused, Superseded: true, PrincipalID: "AIDAOTHER"},
		"carol": {Included: true, State: v1alpha1.PrincipalFailed, PrincipalID: "AIDACAROL"},
	}
	look := func(key grants.PrincipalKey) (grants.Outcome, bool) {
		return grants.Outcome{Observed: map[types.UID]grants.Observation{uid: observed[key.Name]}}, true
	}
	next := seenIDs(record, uid, look)
	want := []v1alpha1.PrincipalID{idOf("alice", "AIDAALICE"), idOf("bob", "AIDABOB")}
	if !slices.Equal(next.Granted.PrincipalIDs, want) || next.Serial != record.Serial {
		t.Errorf("recorded is %+v, want the ids %v and the same serial", next, want)
	}
	if seenIDs(next, uid, look) != next {
		t.Error("a record that has the ids is written again")
	}
}
