package sessionaccess

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

func grantOn(ids ...v1alpha1.InstanceID) *v1alpha1.ResolvedGrant {
	return &v1alpha1.ResolvedGrant{
		AccountID:  "488821267897",
		Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}},
		Targets:    []v1alpha1.ResolvedTarget{{InstanceIDs: ids}},
		Documents:  []v1alpha1.ResolvedDocument{{Name: v1alpha1.DefaultDocument}},
		Regions:    []v1alpha1.Region{tokyo},
		OnRevoke:   v1alpha1.RevokeTerminateSessions,
	}
}

func TestTheLastOfTheNextRecordsTakesNoMoreRoomThanTheRecord(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	record := &v1alpha1.AppliedAccess{Serial: 7, Generation: 7, Granted: grantOn("i-1", "i-2")}
	for i := range 100 {
		wanted := grantOn("i-2", v1alpha1.InstanceID(fmt.Sprint("i-", i+10)))
		records := nextRecords(record, decision{grant: wanted}, int64(i), now)
		if len(records) != 3 || records[2].Granted != nil || records[1].Granted == nil {
			t.Fatalf("the records are %+v", records)
		}
		if both := records[1].Granted; !grants.Covers(record.Granted, both) || !grants.Covers(wanted, both) {
			t.Errorf("%+v allows more than %+v and %+v", both, record.Granted, wanted)
		}
		// Only the names of the fields and the numbers differ.
		if stored, last := reconcile.Size(record), reconcile.Size(records[2]); last > stored+8 {
			t.Errorf("the last takes %d bytes, and %d are stored", last, stored)
		}
		for _, next := range records {
			if len(next.Revoking) == 0 || next.Serial != record.Serial+1 {
				t.Errorf("%+v does not remember what has to be revoked", next)
			}
		}
		record = records[0]
	}
}

func TestNoRecordFollowsWhereNothingChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	record := &v1alpha1.AppliedAccess{Serial: 1, Generation: 1, Granted: grantOn("i-1")}
	if records := nextRecords(record, decision{grant: grantOn("i-1")}, 2, now); records[0] != record {
		t.Errorf("the first record is %+v", records[0])
	}
	if records := nextRecords(nil, decision{}, 1, now); len(records) != 1 || records[0] != nil {
		t.Errorf("the records are %+v", records)
	}
	// What both allow is in the record already: a second narrowing changes nothing.
	if records := nextRecords(record, decision{grant: grantOn("i-1", "i-2")}, 2, now); records[1] != record {
		t.Errorf("the second record is %+v, want the record itself", records[1])
	}
}
