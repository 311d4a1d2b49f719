package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

var (
	targetPattern    = service.NewPattern("target", `(?s).*`, 1, 400)
	reasonPattern    = service.NewPattern("reason", `(?s).{1,256}`, 1, 256)
	sessionIDPattern = service.NewPattern("sessionId", `(?s).*`, 1, 96)
)

func (r *Region) startSession(req *service.Request, in *sdk.StartSessionInput) (*sdk.StartSessionOutput, error) {
	target, name := aws.ToString(in.Target), documentName(in.DocumentName)
	if err := targetPattern.Check(target); err != nil {
		return nil, err
	}
	if in.Reason != nil {
		if err := reasonPattern.Check(*in.Reason); err != nil {
			return nil, err
		}
	}
	if err := r.MayStart(req.Allowed, target, name); err != nil {
		return nil, err
	}
	if err := r.checkSessionDocument(req.Now, name); err != nil {
		return nil, err
	}
	if err := r.checkTarget(req.Now, target); err != nil {
		return nil, err
	}
	s := &Session{
		ID: req.Caller.SessionOwnerName() + "-" + r.Random.SessionSuffix(), Target: target,
		Owner: req.Caller.ARN, OwnerID: req.Caller.UserID, DocumentName: name, Reason: aws.ToString(in.Reason), Started: req.Now,
		Parameters: in.Parameters,
	}
	err := r.update(req.Now, func(state *State) error {
		state.sessions = state.sessions.With(s.ID, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	url, token := r.Channel(req, s)
	return &sdk.StartSessionOutput{SessionId: aws.String(s.ID), StreamUrl: aws.String(url), TokenValue: aws.String(token)}, nil
}

func (r *Region) resumeSession(req *service.Request, in *sdk.ResumeSessionInput) (*sdk.ResumeSessionOutput, error) {
	id := aws.ToString(in.SessionId)
	s, ok := r.Session(id)
	if !ok || !s.Ending.IsZero() {
		return nil, doesNotExist(id)
	}
	url, token := r.Channel(req, s)
	return &sdk.ResumeSessionOutput{SessionId: aws.String(id), StreamUrl: aws.String(url), TokenValue: aws.String(token)}, nil
}

// terminateSession answers success whatever the session, as AWS does.
func (r *Region) terminateSession(req *service.Request, in *sdk.TerminateSessionInput) (*sdk.TerminateSessionOutput, error) {
	id := aws.ToString(in.SessionId)
	if err := sessionIDPattern.Check(id); err != nil {
		return nil, err
	}
	r.End(req.Now, id)
	return &sdk.TerminateSessionOutput{SessionId: aws.String(id)}, nil
}

// End makes a session end, in the time that this takes. A session that does
// not exist or ends already stays as it is.
func (r *Region) End(now time.Time, id string) {
	ended := false
	// Nothing in the change can fail.
	_ = r.update(now, func(state *State) error {
		s, ok := state.sessions.Get(id)
		if !ok || !s.Ending.IsZero() {
			return nil
		}
		ending := *s
		ending.Ending, ending.Ended = now, now.Add(r.EndingTime())
		state.sessions = state.sessions.With(id, &ending)
		ended = true
		return nil
	})
	if ended {
		r.Closed(id)
	}
}
