package metrics

import (
	"testing"
	"time"
)

func TestARevocationIsTimedOnceToEachEnd(t *testing.T) {
	m := New()
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	m.RevocationSeen("one", at(0))
	m.RevocationSeen("one", at(5)) // Still the same one.
	m.PermissionGone("one", "123456789012", at(10))
	m.PermissionGone("one", "123456789012", at(20))
	m.RevocationDone("one", "123456789012", at(70))
	m.PermissionGone("unseen", "123456789012", at(70))
	if len(m.inFlight.began) != 0 {
		t.Errorf("%d revocations are left over", len(m.inFlight.began))
	}
	got := gather(t, m)
	for until, seconds := range map[string]float64{"permission": 10, "sessions": 70} {
		name := `ssm_access_revocation_seconds{account="123456789012",until="` + until + `"}`
		if got[name] != 1 || got[name+" sum"] != seconds {
			t.Errorf("%s: %v were timed, in %v seconds, want 1 in %v", until, got[name], got[name+" sum"], seconds)
		}
	}
}
