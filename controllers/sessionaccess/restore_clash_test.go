package sessionaccess_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestOfTwoThatMustNotStandTogetherTheOlderStaysAfterARestore(t *testing.T) {
	for name, c := range map[string]struct {
		order   []int
		running bool
	}{
		"the older first":                        {[]int{0, 1}, false},
		"the newer first":                        {[]int{1, 0}, false},
		"the newer first, and the manager works": {[]int{1, 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			// Of two of one second, the name would have the other one win.
			main, newer, older := w.clash()
			w.Create(main, older)
			w.AwaitAccess(older, v1alpha1.ReasonGranted)
			w.Eventually(func() bool { return time.Now().Unix() > older.CreationTimestamp.Unix()+1 })
			w.Create(newer)
			w.AwaitAccess(newer, v1alpha1.ReasonGuardrailViolated)
			w.Must(m.Stop())
			saved := w.LoseObjects(older, newer)
			before := w.IAMWrites()
			if c.running {
				w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			}
			back := make([]*v1alpha1.SessionAccess, 2)
			for _, i := range c.order {
				back[i] = scenario.Restore[*v1alpha1.SessionAccess](w.World, saved[i], true)
			}
			if !c.running {
				w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			}
			for _, obj := range back { // Until then the status is that of the backup.
				_, err := testenv.WaitFor(t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
					return a.Status.Applied != nil && a.Status.Applied.UID == string(obj.UID)
				})
				w.Must(err)
			}
			for range 3 { // What was read before the records were is over.
				w.AwaitCall(w.LastCall(), "GetAccountAuthorizationDetails")
			}
			w.Eventually(func() bool { return w.mayForward(scenario.PC02) && !w.MayOpen("user01", scenario.PC01) })
			w.AwaitAccess(back[1], v1alpha1.ReasonGuardrailViolated)
			w.AwaitAccess(back[0], v1alpha1.ReasonGranted)
			if n := w.IAMWrites() - before; n != 0 && !c.running {
				t.Errorf("IAM was written %d times, and nothing was to change", n)
			}
		})
	}
}

// mayForward reports whether user01 may forward a port of a node.
func (w world) mayForward(node string) bool {
	w.T.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + scenario.AccountID + ":user/user01", Region: scenario.Region, Target: node, Document: "AWS-StartPortForwardingSession",
	})
	w.Must(err)
	return answer.Allowed
}
