package grants

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// grantTo is a grant in an account that leaves open sessions.
func grantTo(accountID, user string) v1alpha1.ResolvedGrant {
	return v1alpha1.ResolvedGrant{
		AccountID: accountID, Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
		OnRevoke: v1alpha1.RevokeLeaveSessions,
	}
}

// narrowed is a SessionAccess with a current and a former grant. Its principal has the
// current one.
func narrowed() *v1alpha1.SessionAccess {
	granted := grantTo("488821267897", "User01")
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "user01-pc01", UID: "mine", CreationTimestamp: metav1.NewTime(noon)},
		Spec:       v1alpha1.SessionAccessSpec{AccountRef: v1alpha1.AccountReference{Name: "main"}, OnRevoke: v1alpha1.RevokeTerminateSessions},
		Status: v1alpha1.SessionAccessStatus{
			Applied: &v1alpha1.AppliedAccess{
				Serial: 3, UID: "mine", Granted: &granted,
				Revoking: []v1alpha1.ResolvedGrant{grantTo("111122223333", "user02")},
			},
			Revocation: &v1alpha1.RevocationStatus{Serial: 3, SessionsEnded: new(int32)},
			Principals: []v1alpha1.PrincipalStatus{{State: v1alpha1.PrincipalGranted}},
		},
	}
}

func deleted() *v1alpha1.SessionAccess {
	access := narrowed()
	access.DeletionTimestamp, access.Finalizers = &metav1.Time{Time: noon.Add(time.Hour)}, []string{v1alpha1.Finalizer}
	return access
}

func TestWhatWasReleasedIsNoRevocation(t *testing.T) {
	t.Parallel()
	access := deleted()
	access.Finalizers = []string{"another.example/keeps-it"}
	if r, ok := RecordOf(access); !ok || r.IsRevoking() || !r.Released || !r.Deleting {
		t.Errorf("%+v", r)
	}
}

func TestANarrowingLosesTheFormerGrantsAndADeletionAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		access *v1alpha1.SessionAccess
		lost   int
		serial int64
		before bool
	}{
		"a narrowing":               {narrowed(), 1, 3, false},
		"a deletion":                {deleted(), 2, 4, true},
		"an object without records": {&v1alpha1.SessionAccess{}, 0, 0, false},
	} {
		rev := RevocationOf(c.access)
		if len(rev.Lost) != c.lost || rev.StatusSerial() != c.serial || rev.WasGranted != c.before || rev.CanBeTakenOver {
			t.Errorf("%s: %+v", name, rev)
		}
		if rev.IsRevoking() != (c.lost > 0) || rev.Status != c.access.Status.Revocation || rev.EndsAtOnce != MaxEnding {
			t.Errorf("%s: %+v", name, rev)
		}
	}
}

func TestAnAccountRevokesWhatAnObjectLeftInIt(t *testing.T) {
	t.Parallel()
	left := RevocationOf(deleted())
	here := left.InAccount("488821267897")
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	account.Status.PendingRevocations = []v1alpha1.PendingRevocation{here.Pending(metav1.NewTime(noon))}
	if !IsPending(account, left.UID) || IsPending(account, "another") {
		t.Error("the account does not know what it has")
	}
	pending := PendingRevocations(account)
	if len(pending) != 1 {
		t.Fatalf("%d pending revocations", len(pending))
	}
	rev := pending[0]
	if rev.UID != left.UID || rev.Origin != left.Origin || rev.StatusSerial() != left.StatusSerial() || rev.AccountName != "main" {
		t.Errorf("%+v is another revocation than %+v", rev, left)
	}
	if !rev.Deleting || !rev.WasGranted || !rev.CanBeTakenOver || rev.Granted != nil || rev.EndsAtOnce >= MaxEnding {
		t.Errorf("%+v grants something, or is not for an account to revoke", rev)
	}
	if want := []PrincipalKey{{"488821267897", v1alpha1.PrincipalUser, "user01"}}; !slices.Equal(rev.Keys(), want) || !slices.Equal(PendingPrincipals(account), want) {
		t.Errorf("it is for %v, and the account's are for %v", rev.Keys(), PendingPrincipals(account))
	}
	if rev.Lost[0].OnRevoke != v1alpha1.RevokeTerminateSessions || left.Lost[1].OnRevoke != v1alpha1.RevokeLeaveSessions {
		t.Error("the last word of the spec is lost, or was written into the record of the object")
	}
	*rev.Status.SessionsEnded = 7
	if *account.Status.PendingRevocations[0].Revocation.SessionsEnded != 0 || *left.Status.SessionsEnded != 0 {
		t.Error("the progress is shared with an object")
	}
}

func TestTheObjectWithTheRecordIsItsHolder(t *testing.T) {
	t.Parallel()
	own := RevocationOf(narrowed())
	if want := (Holder{KindSessionAccess, types.NamespacedName{Namespace: "team-a", Name: "user01-pc01"}}); own.Holder() != want {
		t.Errorf("got %v, want %v", own.Holder(), want)
	}
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	account.Status.PendingRevocations = []v1alpha1.PendingRevocation{own.Pending(metav1.NewTime(noon))}
	pending := PendingRevocations(account)[0]
	if want := (Holder{KindAWSAccount, types.NamespacedName{Name: "main"}}); pending.Holder() != want || pending.Origin != own.Origin {
		t.Errorf("got %v of %v, want %v of %v", pending.Holder(), pending.Origin, want, own.Origin)
	}
}

func TestARecordIsAsOldAsItsFirstObject(t *testing.T) {
	t.Parallel()
	access, before := narrowed(), metav1.NewTime(noon.Add(-time.Hour))
	if r, ok := RecordOf(access); !ok || !r.DeclaredAt.Equal(noon) || r.HeldOnly {
		t.Errorf("%+v", r)
	}
	access.Status.Applied.DeclaredAt, access.Status.Applied.UID = &before, "another"
	if r, ok := RecordOf(access); !ok || !r.DeclaredAt.Equal(before.Time) || !r.HeldOnly {
		t.Errorf("of a restored object: %+v", r)
	}
	if records := RecordsOf([]v1alpha1.SessionAccess{{}, *access}); len(records) != 1 || records[0].UID != "mine" {
		t.Errorf("%+v", records)
	}
}

func TestAPendingRevocationThatWaitsAddsNothing(t *testing.T) {
	t.Parallel()
	rev := RevocationOf(deleted())
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	account.Status.PendingRevocations = []v1alpha1.PendingRevocation{rev.Pending(metav1.NewTime(noon))}
	pending := pendingRecords(account)
	waiting := Waiting(pending)
	if len(waiting) != 2 || waiting[0].UID == waiting[1].UID {
		t.Fatalf("%d records of 2 grants: %+v", len(waiting), waiting)
	}
	for i, r := range waiting {
		if !r.HeldOnly || r.IsRevoking() || r.UID == rev.UID || r.Holder() != pending[0].Holder() {
			t.Errorf("%+v does not wait", r)
		}
		if !equality.Semantic.DeepEqual(*r.Granted, pending[0].Former[i]) {
			t.Errorf("%+v is for another grant than %+v", r, pending[0].Former[i])
		}
	}
	if !pending[0].Deleting || pending[0].Granted != nil {
		t.Error("the pending revocation itself was changed")
	}
}
