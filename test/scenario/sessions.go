package scenario

import (
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

// MayOpen asks the emulated AWS whether a user could open a session on a node.
func (w World) MayOpen(user, node string) bool {
	w.T.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + AccountID + ":user/" + user, Region: Region, Target: node,
	})
	w.Must(err)
	return answer.Allowed
}

// ExpectAccess checks who may open sessions where: user01 on PC01 and PC02, then user02.
func (w World) ExpectAccess(want ...bool) {
	w.T.Helper()
	i := 0
	for _, user := range []string{"user01", "user02"} {
		for _, node := range []string{PC01, PC02} {
			if got := w.MayOpen(user, node); got != want[i] {
				w.T.Errorf("%s on %s: allowed = %v, want %v", user, node, got, want[i])
			}
			i++
		}
	}
}

// OpenSession opens a session without asking whether it may be, and returns its id.
func (w World) OpenSession(owner, node string) string {
	w.T.Helper()
	id, err := w.Emulator.OpenSession(owner, Region, node, "")
	w.Must(err)
	return id
}

// IsSessionOpen reports whether a session has not ended.
func (w World) IsSessionOpen(id string) bool {
	w.T.Helper()
	session, ok := w.Emulator.Account(AccountID).Region(Region).SSM.Session(id)
	return ok && session.Ended.IsZero()
}

// AwaitSessionEnd waits until a session has ended.
func (w World) AwaitSessionEnd(id string) {
	w.T.Helper()
	w.Eventually(func() bool { return !w.IsSessionOpen(id) })
}

// ExpectSessionsOpen checks that sessions were not ended.
func (w World) ExpectSessionsOpen(ids ...string) {
	w.T.Helper()
	for _, id := range ids {
		if !w.IsSessionOpen(id) {
			w.T.Errorf("session %s was ended, and had nothing to do with what was revoked", id)
		}
	}
}

// MayOpenWith asks whether a user could open a session with a document.
func (w World) MayOpenWith(user, node, document string) bool {
	w.T.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + AccountID + ":user/" + user, Region: Region, Target: node, Document: document,
	})
	w.Must(err)
	return answer.Allowed
}
