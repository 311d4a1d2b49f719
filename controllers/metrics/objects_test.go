package metrics

import (
	"maps"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

const (
	firstID  = "111122223333"
	secondID = "444455556666"
)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }

// account is one that is Ready, of the name of its shard.
func account(name, id string) v1alpha1.AWSAccount {
	return v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"shard": name}},
		Spec:       v1alpha1.AWSAccountSpec{AccountID: id},
		Status: v1alpha1.AWSAccountStatus{
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
			Policies:   &v1alpha1.PolicyUsage{Used: new(int32(7)), Quota: new(int32(1500))},
		},
	}
}

type change = func(*v1alpha1.SessionAccess)

// access is one in the first account, granted and sent to AWS.
func access(changes ...change) v1alpha1.SessionAccess {
	a := v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{UID: "uid", Finalizers: []string{v1alpha1.Finalizer}},
		Spec:       v1alpha1.SessionAccessSpec{AccountRef: v1alpha1.AccountReference{Name: "first"}},
		Status:     v1alpha1.SessionAccessStatus{Applied: &v1alpha1.AppliedAccess{Granted: &v1alpha1.ResolvedGrant{}}},
	}
	ready(metav1.ConditionTrue, v1alpha1.ReasonGranted)(&a)
	for _, c := range changes {
		c(&a)
	}
	return a
}

func set(kind string, status metav1.ConditionStatus, reason string, since metav1.Time) change {
	return func(a *v1alpha1.SessionAccess) {
		a.Status.Conditions = slices.DeleteFunc(a.Status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
		a.Status.Conditions = append(a.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: since})
	}
}

// ready makes an access Ready or not, for five minutes now.
func ready(status metav1.ConditionStatus, reason string) change {
	return set(v1alpha1.ConditionReady, status, reason, ago(5*time.Minute))
}

func stalled(a *v1alpha1.SessionAccess) {
	set(v1alpha1.ConditionStalled, metav1.ConditionTrue, "", ago(0))(a)
}

func active(reason string) change {
	return set(v1alpha1.ConditionActive, metav1.ConditionFalse, reason, ago(0))
}

func deleted(since time.Duration) change {
	return func(a *v1alpha1.SessionAccess) { a.DeletionTimestamp = new(ago(since)) }
}

func narrowed(a *v1alpha1.SessionAccess) {
	a.Status.Applied.Revoking = []v1alpha1.ResolvedGrant{{}}
}

func unknown(a *v1alpha1.SessionAccess) { a.Spec.AccountRef.Name = "nobody" }

func nodes(total, connected, unknown int32) change {
	return func(a *v1alpha1.SessionAccess) {
		a.Status.Targets = &v1alpha1.TargetsStatus{Total: &total, Connected: &connected, Unknown: unknown}
	}
}

func TestTheStateOfAnAccess(t *testing.T) {
	bare := func(a *v1alpha1.SessionAccess) { a.Status = v1alpha1.SessionAccessStatus{} }
	seen := map[string]bool{}
	for name, c := range map[string]struct {
		access v1alpha1.SessionAccess
		want   string
	}{
		"in force":                        {access(), stateGranted},
		"nobody has looked at it":         {access(bare), statePending},
		"AWS is being told":               {access(ready(metav1.ConditionFalse, v1alpha1.ReasonApplying)), statePending},
		"it is not known":                 {access(ready(metav1.ConditionUnknown, v1alpha1.ReasonApplying)), statePending},
		"its time has not come":           {access(active(v1alpha1.ReasonNotYetValid)), stateScheduled},
		"its time has passed":             {access(ready(metav1.ConditionTrue, v1alpha1.ReasonExpired), active(v1alpha1.ReasonExpired)), stateExpired},
		"expired, and not gone yet":       {access(ready(metav1.ConditionFalse, v1alpha1.ReasonRevoking), active(v1alpha1.ReasonExpired)), stateRevoking},
		"its account is observed":         {access(ready(metav1.ConditionFalse, v1alpha1.ReasonObserved), stalled), stateObserved},
		"deleted in an observed account":  {access(ready(metav1.ConditionFalse, v1alpha1.ReasonObserved), stalled, deleted(0)), stateStalled},
		"narrowed":                        {access(ready(metav1.ConditionFalse, v1alpha1.ReasonRevoking)), stateRevoking},
		"its sessions are ended":          {access(ready(metav1.ConditionFalse, v1alpha1.ReasonEndingSessions)), stateRevoking},
		"its sessions cannot be ended":    {access(ready(metav1.ConditionFalse, v1alpha1.ReasonEndingSessions), stalled), stateStalled},
		"deleted":                         {access(deleted(0)), stateRevoking},
		"deleted before it was looked at": {access(bare, deleted(0)), stateRevoking},
		"deleted, and refused by AWS":     {access(ready(metav1.ConditionFalse, v1alpha1.ReasonAccessDenied), stalled, deleted(0)), stateStalled},
		"refused":                         {access(ready(metav1.ConditionFalse, v1alpha1.ReasonGuardrailViolated), stalled), stateStalled},
		"for nobody":                      {access(ready(metav1.ConditionFalse, v1alpha1.ReasonPrincipalNotFound)), stateStalled},
	} {
		if got := stateOf(&c.access); got != c.want {
			t.Errorf("%s: the state is %s, want %s", name, got, c.want)
		}
		seen[c.want] = true
	}
	if len(seen) != len(states) {
		t.Errorf("of the states %v only %v are tried", states, slices.Collect(maps.Keys(seen)))
	}
}

func activation(left time.Duration) v1alpha1.HybridActivation {
	return v1alpha1.HybridActivation{
		Spec:   v1alpha1.HybridActivationSpec{AccountRef: v1alpha1.AccountReference{Name: "first"}},
		Status: v1alpha1.HybridActivationStatus{ActivationID: "id", ExpiresAt: new(ago(-left))},
	}
}

func TestHowLongAnActivationLasts(t *testing.T) {
	none := activation(time.Hour)
	none.Status.ActivationID = ""
	endless := activation(0)
	endless.Status.ExpiresAt = nil
	for name, c := range map[string]struct {
		activation v1alpha1.HybridActivation
		want       string
	}{
		"there is none":         {none, leftNone},
		"its end is not known":  {endless, leftNone},
		"it expired":            {activation(-time.Second), leftNone},
		"it expires now":        {activation(0), leftNone},
		"it is about to":        {activation(time.Second), leftDay},
		"nearly a day is left":  {activation(day - time.Second), leftDay},
		"a day is left":         {activation(day), leftWeek},
		"nearly a week is left": {activation(week - time.Second), leftWeek},
		"a week is left":        {activation(week), leftMore},
		"a month is left":       {activation(30 * day), leftMore},
	} {
		if got := left(&c.activation, noon); got != c.want {
			t.Errorf("%s: %s is left, want %s", name, got, c.want)
		}
	}
}

func TestSinceWhenAnAccessIsTakenAway(t *testing.T) {
	never := time.Duration(-1)
	notReady := ready(metav1.ConditionFalse, v1alpha1.ReasonRevoking) // For five minutes.
	for name, c := range map[string]struct {
		access v1alpha1.SessionAccess
		seen   time.Duration // ago; 0 where this process did not see it
		want   time.Duration
	}{
		"in force":                                {access(), 0, never},
		"in force, after an earlier one":          {access(), time.Hour, never},
		"AWS was never told":                      {access(deleted(time.Hour), func(a *v1alpha1.SessionAccess) { a.Status.Applied = nil }), 0, never},
		"deleted":                                 {access(deleted(time.Hour)), 0, time.Hour},
		"deleted before this process began":       {access(deleted(time.Hour)), time.Minute, time.Hour},
		"deleted and stalled":                     {access(deleted(time.Hour), notReady, stalled), 0, time.Hour},
		"deleted while it was narrowed":           {access(deleted(time.Minute), narrowed), time.Hour, time.Hour},
		"deleted, and somebody else's by now":     {access(deleted(time.Hour), func(a *v1alpha1.SessionAccess) { a.Finalizers = []string{"other"} }), 0, never},
		"deleted after it had expired":            {access(deleted(time.Hour), func(a *v1alpha1.SessionAccess) { a.Status.Applied.Granted = nil }), 0, never},
		"narrowed":                                {access(narrowed, notReady), time.Minute, time.Minute},
		"narrowed, not Ready before":              {access(narrowed, notReady), 2 * time.Minute, 2 * time.Minute},
		"narrowed and stalled":                    {access(narrowed, notReady, stalled), time.Hour, time.Hour},
		"narrowed before this process began":      {access(narrowed, notReady), 0, 5 * time.Minute},
		"narrowed, and nothing told of it so far": {access(narrowed), 0, 0},
	} {
		var seen time.Time
		if c.seen != 0 {
			seen = noon.Add(-c.seen)
		}
		since, open := openSince(&c.access, seen)
		if open != (c.want != never) {
			t.Errorf("%s: it is under way = %v", name, open)
		}
		if open && since.IsZero() != (c.want == 0) || open && !since.IsZero() && noon.Sub(since) != c.want {
			t.Errorf("%s: it is under way since %v, want %v ago", name, since, c.want)
		}
	}
}

// check checks samples of a scrape; -1 stands for none.
func check(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if n, ok := got[name]; ok != (value != -1) || ok && n != value {
			t.Errorf("%s is %v (told: %v), want %v", name, n, ok, value)
		}
	}
}

func TestAScrapeTellsOfTheObjects(t *testing.T) {
	going := activation(time.Hour)
	going.DeletionTimestamp = new(ago(0))
	young := ready(metav1.ConditionFalse, v1alpha1.ReasonApplying)
	o := objectsOf{
		accounts: []v1alpha1.AWSAccount{account("first", firstID), account("second", secondID)},
		accesses: []v1alpha1.SessionAccess{
			access(nodes(9, 2, 3)), access(nodes(1, 1, 0)), access(young), access(active(v1alpha1.ReasonNotYetValid)),
			access(active(v1alpha1.ReasonExpired)), access(active(v1alpha1.ReasonExpired)),
			access(ready(metav1.ConditionFalse, v1alpha1.ReasonObserved), stalled),
			access(deleted(time.Minute)), access(deleted(time.Hour), stalled), access(unknown, stalled),
		},
		activations: []v1alpha1.HybridActivation{activation(0), activation(time.Hour), activation(3 * day), activation(4 * day), activation(8 * day), going},
	}
	got := gather(t, watching(t, o, ""))
	first, second := `{account="`+firstID, `{account="`+secondID
	check(t, got, map[string]float64{
		"ssm_access_grants" + first + `",state="granted"}`:      2,
		"ssm_access_grants" + first + `",state="scheduled"}`:    1,
		"ssm_access_grants" + first + `",state="expired"}`:      2,
		"ssm_access_grants" + first + `",state="observed"}`:     1,
		"ssm_access_grants" + first + `",state="pending"}`:      1,
		"ssm_access_grants" + first + `",state="revoking"}`:     1,
		"ssm_access_grants" + first + `",state="stalled"}`:      1,
		`ssm_access_grants{account="",state="stalled"}`:         1,
		"ssm_access_grants" + second + `",state="granted"}`:     0,
		"ssm_access_targets" + first + `",state="connected"}`:   3,
		"ssm_access_targets" + first + `",state="unreachable"}`: 4,
		"ssm_access_targets" + first + `",state="unknown"}`:     3,
		"ssm_access_activations" + first + `",left="none"}`:     1,
		"ssm_access_activations" + first + `",left="under-1d"}`: 1,
		"ssm_access_activations" + first + `",left="under-7d"}`: 2,
		"ssm_access_activations" + first + `",left="over-7d"}`:  1,
		"ssm_access_oldest_revocation_seconds" + first + `"}`:   3600,
		"ssm_access_oldest_revocation_seconds" + second + `"}`:  0,
		"ssm_access_account_ready" + first + `"}`:               1,
		"ssm_access_account_policies" + first + `"}`:            7,
		"ssm_access_account_policies_quota" + first + `"}`:      1500,
		"ssm_access_account_declared" + second + `"}`:           1,
	})
}

func TestAManagerTellsOfItsOwnAccountsAndDeclaresAll(t *testing.T) {
	theirs := access(deleted(time.Hour))
	theirs.Spec.AccountRef.Name = "second"
	o := objectsOf{
		accounts: []v1alpha1.AWSAccount{account("first", firstID), account("second", secondID)},
		accesses: []v1alpha1.SessionAccess{access(), theirs},
	}
	check(t, gather(t, watching(t, o, "shard=first")), map[string]float64{
		`ssm_access_account_declared{account="` + firstID + `"}`:           1,
		`ssm_access_account_declared{account="` + secondID + `"}`:          1,
		`ssm_access_account_ready{account="` + firstID + `"}`:              1,
		`ssm_access_account_ready{account="` + secondID + `"}`:             -1,
		`ssm_access_grants{account="` + firstID + `",state="granted"}`:     1,
		`ssm_access_grants{account="` + secondID + `",state="revoking"}`:   -1,
		`ssm_access_oldest_revocation_seconds{account="` + firstID + `"}`:  0,
		`ssm_access_oldest_revocation_seconds{account="` + secondID + `"}`: -1,
	})
}

func TestTheOldestRevocationIsToldUntilItIsDone(t *testing.T) {
	narrow := access(narrowed, ready(metav1.ConditionFalse, v1alpha1.ReasonPrincipalNotFound))
	narrow.UID = types.UID("narrow")
	o := objectsOf{accounts: []v1alpha1.AWSAccount{account("first", firstID)}, accesses: []v1alpha1.SessionAccess{narrow}}
	m := watching(t, o, "")
	age := func(want float64) {
		t.Helper()
		check(t, gather(t, m), map[string]float64{`ssm_access_oldest_revocation_seconds{account="` + firstID + `"}`: want})
	}
	age(300) // Since it was Ready last.
	m.RevocationSeen("narrow", noon.Add(-time.Minute))
	m.PermissionGone("narrow", firstID, noon)
	age(60)
	m.RevocationDone("narrow", firstID, noon)
	narrow.Status.Applied.Revoking = nil
	age(0)

	// A pending revocation of an account is a revocation whose object is gone.
	o.accounts[0].Status.PendingRevocations = []v1alpha1.PendingRevocation{{ForcedAt: ago(day)}, {ForcedAt: ago(time.Hour)}}
	age(day.Seconds())
}

func TestOfObjectsNothingIsToldBeforeTheLease(t *testing.T) {
	m := watching(t, objectsOf{accounts: []v1alpha1.AWSAccount{account("first", firstID)}}, "")
	m.objects.sources.Elected = make(chan struct{})
	if got := gather(t, m); len(got) != 0 {
		t.Errorf("a manager that waits for the lease tells %v", got)
	}
}

func TestDriftIsCountedByKind(t *testing.T) {
	m := New()
	for n, kind := range values()[namespace+"_drift_found_total/kind"] {
		for range n + 1 {
			m.DriftFound(firstID, iam.DriftKind(kind))
		}
	}
	got := gather(t, m)
	for n, kind := range values()[namespace+"_drift_found_total/kind"] {
		check(t, got, map[string]float64{`ssm_access_drift_found_total{account="` + firstID + `",kind="` + kind + `"}`: float64(n + 1)})
	}
}
