package principal

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// claimant is a SessionAccess with a record. ofAnother: it was written for another
// object. Its nodes may be used with the documents that it names only.
func claimant(name string, created time.Time, declared *time.Time, ofAnother bool, document string) v1alpha1.SessionAccess {
	record := &v1alpha1.AppliedAccess{Serial: 1, UID: name, Granted: &v1alpha1.ResolvedGrant{
		AccountID:      "488821267897",
		Principals:     []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}},
		Targets:        []v1alpha1.ResolvedTarget{{InstanceIDs: []v1alpha1.InstanceID{"i-051cac51072605f39"}}},
		Documents:      []v1alpha1.ResolvedDocument{{Name: document}},
		DocumentBounds: []v1alpha1.DocumentBound{{Guardrail: "own", Documents: []v1alpha1.NamePattern{v1alpha1.NamePattern(document)}}},
		Regions:        []v1alpha1.Region{"ap-northeast-1"},
	}}
	if ofAnother {
		record.UID = "another"
	}
	if declared != nil {
		record.DeclaredAt = &metav1.Time{Time: *declared}
	}
	return v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name, UID: types.UID(name), CreationTimestamp: metav1.Time{Time: created}},
		Status:     v1alpha1.SessionAccessStatus{Applied: record},
	}
}

func TestRestoredRecordsClaimOnlyWhatIsHeld(t *testing.T) {
	t.Parallel()
	const own, heldOnly, refused = "own", "held only", "refused"
	earlier, later := noon.Add(-2*time.Hour), noon.Add(-time.Hour)
	upgraded := claimant("a", noon, nil, false, "X")
	upgraded.Status.Applied.UID = ""
	for name, c := range map[string]struct {
		accesses []v1alpha1.SessionAccess
		want     map[types.UID]string
	}{
		"a record of its own":              {[]v1alpha1.SessionAccess{claimant("a", noon, nil, false, "X")}, map[types.UID]string{"a": own}},
		"a record of an earlier version":   {[]v1alpha1.SessionAccess{upgraded}, map[types.UID]string{"a": own}},
		"a record of another object":       {[]v1alpha1.SessionAccess{claimant("a", noon, nil, true, "X")}, map[types.UID]string{"a": heldOnly}},
		"the older of two, by the record":  {[]v1alpha1.SessionAccess{claimant("a", noon, &later, false, "X"), claimant("b", noon, &earlier, false, "Y")}, map[types.UID]string{"a": refused, "b": own}},
		"the older of two, by creation":    {[]v1alpha1.SessionAccess{claimant("a", noon, nil, false, "X"), claimant("b", noon.Add(-time.Hour), nil, false, "Y")}, map[types.UID]string{"a": refused, "b": own}},
		"the older is not decided on":      {[]v1alpha1.SessionAccess{claimant("a", noon, &earlier, true, "X"), claimant("b", noon, &later, false, "Y")}, map[types.UID]string{"a": heldOnly, "b": heldOnly}},
		"the newer is not decided on":      {[]v1alpha1.SessionAccess{claimant("a", noon, &earlier, false, "X"), claimant("b", noon, &later, true, "Y")}, map[types.UID]string{"a": own, "b": refused}},
		"neither is decided on":            {[]v1alpha1.SessionAccess{claimant("a", noon, &earlier, true, "X"), claimant("b", noon, &later, true, "Y")}, map[types.UID]string{"a": heldOnly, "b": heldOnly}},
		"two that may stand side by side":  {[]v1alpha1.SessionAccess{claimant("a", noon, &earlier, true, "X"), claimant("b", noon, &later, false, "X")}, map[types.UID]string{"a": heldOnly, "b": own}},
		"a record of another that expired": {[]v1alpha1.SessionAccess{expired(claimant("a", noon, nil, true, "X"))}, map[types.UID]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := grants.PrincipalKey{AccountID: "488821267897", Kind: v1alpha1.PrincipalUser, Name: "user01"}
			got := claimsOf(key, grants.RecordsOf(c.accesses), v1alpha1.ModeEnforce, noon)
			for uid, observed := range got.observed {
				is := ""
				for _, g := range got.grants {
					switch {
					case types.UID(g.ID) == uid && g.HeldOnly:
						is = heldOnly
					case types.UID(g.ID) == uid:
						is = own
					}
				}
				if _, out := got.refused[uid]; out {
					is = refused
				}
				if is != c.want[uid] {
					t.Errorf("of %s: got %q, want %q", uid, is, c.want[uid])
				}
				if observed.Included && is == heldOnly {
					t.Errorf("%s is said to be granted", uid)
				}
			}
		})
	}
}

func expired(access v1alpha1.SessionAccess) v1alpha1.SessionAccess {
	access.Status.Applied.Granted.NotAfter = &metav1.Time{Time: noon.Add(-time.Minute)}
	return access
}
