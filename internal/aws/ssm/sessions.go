package ssm

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// sessionPage is the most sessions that SSM gives in one page.
const sessionPage = 200

// codeDoesNotExist is SSM's error for a session that it does not know.
const codeDoesNotExist = "DoesNotExistException"

// Session is a Session Manager session that is not over.
type Session struct {
	ID string
	// Owner is the ARN of who opened it, such as
	// "arn:aws:iam::488821267897:user/user01" or
	// "arn:aws:sts::488821267897:assumed-role/Role/Session".
	Owner string
	// Target is the node's id, "i-…" or "mi-…".
	Target string
	// Document is the name of the session document.
	Document string
	// Status such as "Connected" or "Terminating".
	Status string
	Start  time.Time
	// JustInTime: AWS gave the access to it by just-in-time node access, after an approval.
	// No policy of the owner did.
	JustInTime bool
}

// SessionFilter narrows a list of sessions; "" does not.
type SessionFilter struct {
	// OwnerARN is the whole ARN. A role has no such: its sessions each have
	// their own.
	OwnerARN string
	// Target is a node's id.
	Target string
}

func (f SessionFilter) filters() []types.SessionFilter {
	var filters []types.SessionFilter
	if f.OwnerARN != "" {
		filters = append(filters, types.SessionFilter{Key: types.SessionFilterKeyOwner, Value: &f.OwnerARN})
	}
	if f.Target != "" {
		filters = append(filters, types.SessionFilter{Key: types.SessionFilterKeyTargetId, Value: &f.Target})
	}
	return filters
}

// CanListSessions tries whether the region's sessions can be listed at all.
// One call.
func (r Region) CanListSessions(ctx context.Context) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.DescribeSessions(ctx, &ssm.DescribeSessionsInput{
		State: types.SessionStateActive, MaxResults: aws.Int32(1),
	})
	return r.account.Explain(err, "listing the sessions in %s", r.name)
}

// ActiveSessions lists the sessions of a region that are not over, also those
// that are about to end (Terminating). One call for 200.
func (r Region) ActiveSessions(ctx context.Context, filter SessionFilter) ([]Session, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var sessions []Session
	pages := ssm.NewDescribeSessionsPaginator(client, &ssm.DescribeSessionsInput{
		State: types.SessionStateActive, MaxResults: aws.Int32(sessionPage), Filters: filter.filters(),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the sessions in %s", r.name)
		}
		for _, s := range page.Sessions {
			sessions = append(sessions, Session{
				ID: aws.ToString(s.SessionId), Owner: aws.ToString(s.Owner), Target: aws.ToString(s.Target),
				Document: aws.ToString(s.DocumentName), Status: string(s.Status), Start: aws.ToTime(s.StartDate),
				JustInTime: s.AccessType == types.AccessTypeJustintime,
			})
		}
	}
	return sessions, nil
}

// TerminateSession asks SSM to end a session. One that is over, or never was,
// is fine. That SSM accepts does not show that the session has ended: list it
// again. One call.
func (r Region) TerminateSession(ctx context.Context, id string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: &id})
	if awserr.Code(err) == codeDoesNotExist {
		return nil
	}
	return r.account.Explain(err, "ending session %s in %s", id, r.name)
}
