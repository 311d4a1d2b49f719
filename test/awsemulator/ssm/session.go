package ssm

import (
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// DefaultDocument is the document of a session that names none. It need not
// exist: without it AWS's own preferences hold.
const DefaultDocument = "SSM-SessionManagerRunShell"

// Session is a session of Session Manager. It is immutable.
type Session struct {
	ID, Target string
	// Owner is the whole ARN of who opened it, OwnerID its aws:userid.
	Owner, OwnerID string
	DocumentName   string
	Reason         string
	// Parameters are those of the document.
	Parameters map[string][]string
	Started    time.Time
	// JustInTime: it was opened with a token of an access request that was approved.
	JustInTime bool
	// Ending is when its termination was requested, zero before. Ended is when
	// it has ended.
	Ending, Ended time.Time
}

// Status is the session's at a time.
func (s *Session) Status(now time.Time) types.SessionStatus {
	switch {
	case s.Ending.IsZero():
		return types.SessionStatusConnected
	case now.Before(s.Ended):
		return types.SessionStatusTerminating
	default:
		return types.SessionStatusTerminated
	}
}

// AccessType is how the session came by its permission.
func (s *Session) AccessType() types.AccessType {
	if s.JustInTime {
		return types.AccessTypeJustintime
	}
	return types.AccessTypeStandard
}

// Active reports whether the session is still listed among the active ones.
func (s *Session) Active(now time.Time) bool {
	return s.Status(now) != types.SessionStatusTerminated
}

// tags are those that AWS gives to a session: who owns it and where it runs.
// For an IAM user the first is documented to be the user id; it has not been
// seen on a real account.
func (s *Session) tags() map[string]string {
	return map[string]string{"aws:ssmmessages:session-id": s.OwnerID, "aws:ssmmessages:target-id": s.Target}
}

// Sessions yields all sessions of the region, ended ones too, by id, without
// any lag.
func (r *Region) Sessions() iter.Seq[*Session] { return r.history.Latest().sessions.Values() }

// Session finds a session by its id, without any lag.
func (r *Region) Session(id string) (*Session, bool) { return r.history.Latest().sessions.Get(id) }

// PutSession adds a session that no call has opened.
func (r *Region) PutSession(s *Session) {
	// Nothing in the change can fail.
	_ = r.update(r.Now(), func(state *State) error {
		state.sessions = state.sessions.With(s.ID, s)
		return nil
	})
}
