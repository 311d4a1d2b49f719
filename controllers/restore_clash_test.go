package controllers_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
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
			w.create(main, older)
			w.accessIs(older, v1alpha1.ReasonGranted)
			w.until(func() bool { return time.Now().Unix() > older.CreationTimestamp.Unix()+1 })
			w.create(newer)
			w.accessIs(newer, v1alpha1.ReasonGuardrailViolated)
			w.must(m.Stop())
			saved := w.vanish(older, newer)
			before := w.writes()
			if c.running {
				w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			}
			back := make([]*v1alpha1.SessionAccess, 2)
			for _, i := range c.order {
				back[i] = restored[*v1alpha1.SessionAccess](w, saved[i], true)
			}
			if !c.running {
				w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			}
			for _, obj := range back { // Until then the status is that of the backup.
				_, err := testenv.WaitFor(t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
					return a.Status.Applied != nil && a.Status.Applied.UID == string(obj.UID)
				})
				w.must(err)
			}
			for range 3 { // What was read before the records were is over.
				w.untilCall(w.LastCall(), "GetAccountAuthorizationDetails")
			}
			w.until(func() bool { return w.mayForward(pc02) && !w.may("user01", pc01) })
			w.accessIs(back[1], v1alpha1.ReasonGuardrailViolated)
			w.accessIs(back[0], v1alpha1.ReasonGranted)
			if n := w.writes() - before; n != 0 && !c.running {
				t.Errorf("IAM was written %d times, and nothing was to change", n)
			}
		})
	}
}

// mayForward reports whether user01 may forward a port of a node.
func (w world) mayForward(node string) bool {
	w.t.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + accountID + ":user/user01", Region: region, Target: node, Document: "AWS-StartPortForwardingSession",
	})
	w.must(err)
	return answer.Allowed
}
