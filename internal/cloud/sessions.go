package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
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
func (a *Account) CanListSessions(ctx context.Context, region string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).DescribeSessions(ctx, &ssm.DescribeSessionsInput{
		State: types.SessionStateActive, MaxResults: aws.Int32(1),
	})
	return a.explain(err, "listing the sessions in %s", region)
}

// ActiveSessions lists the sessions of a region that are not over, also those
// that are about to end (Terminating). One call for 200.
func (a *Account) ActiveSessions(ctx context.Context, region string, filter SessionFilter) ([]Session, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	var sessions []Session
	pages := ssm.NewDescribeSessionsPaginator(clients.ssmIn(region), &ssm.DescribeSessionsInput{
		State: types.SessionStateActive, MaxResults: aws.Int32(sessionPage), Filters: filter.filters(),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "listing the sessions in %s", region)
		}
		for _, s := range page.Sessions {
			sessions = append(sessions, Session{
				ID: aws.ToString(s.SessionId), Owner: aws.ToString(s.Owner), Target: aws.ToString(s.Target),
				Document: aws.ToString(s.DocumentName), Status: string(s.Status), Start: aws.ToTime(s.StartDate),
			})
		}
	}
	return sessions, nil
}

// TerminateSession asks SSM to end a session. One that is over, or never was,
// is fine. That SSM accepts does not show that the session has ended: list it
// again. One call.
func (a *Account) TerminateSession(ctx context.Context, region, id string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: &id})
	if Code(err) == codeDoesNotExist {
		return nil
	}
	return a.explain(err, "ending session %s in %s", id, region)
}
