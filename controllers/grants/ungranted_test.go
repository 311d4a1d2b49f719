package grants_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

func TestWhatIsUngrantedCoversNothingUntilItBegins(t *testing.T) {
	t.Parallel()
	granted := grants.Begin(grantOf([]string{"a"}, []string{"i-1"}, "r"), nil, grants.Beginning{At: epoch})
	wide := grantOf([]string{"a", "b"}, []string{"i-1", "i-2"}, "r")
	observed := grants.Begin(wide, granted, grants.Beginning{At: epoch.Add(time.Hour), Ungranted: true})
	covers := func(user, node string) time.Time {
		since, _ := start(observed, user, node, "r")
		return since
	}
	if got := covers("a", "i-1"); !got.Equal(epoch) {
		t.Errorf("what was granted before covers since %s", got)
	}
	for _, c := range [][2]string{{"a", "i-2"}, {"b", "i-1"}, {"b", "i-2"}} {
		if got := covers(c[0], c[1]); !got.IsZero() {
			t.Errorf("what is ungranted covers %v since %s", c, got)
		}
	}
	if left := grants.WithoutUngranted(observed); !grants.SameAccess(left, granted) {
		t.Errorf("without what is ungranted it is %+v", left)
	}
	if fresh := grants.Begin(wide, nil, grants.Beginning{At: epoch, Ungranted: true}); grants.WithoutUngranted(fresh) != nil {
		t.Error("something is left of what was never granted")
	}
	admitted := grants.Coverage{As: []string{"User/b"}, Node: "i-2", Region: "r", OnTarget: func(int) bool { return true }}
	observed = admitted.Admit(observed, epoch.Add(time.Minute))
	if got := covers("b", "i-2"); !got.Equal(epoch.Add(time.Minute)) {
		t.Errorf("what a session passed to covers since %s", got)
	}
	begun := grants.Begin(wide, granted, grants.Beginning{At: epoch.Add(2 * time.Hour)})
	if observed = begun; len(observed.Ungranted) > 0 || !covers("b", "i-1").Equal(epoch.Add(2*time.Hour)) || !covers("a", "i-1").Equal(epoch) {
		t.Errorf("once it is granted, it is %+v", begun)
	}
}
