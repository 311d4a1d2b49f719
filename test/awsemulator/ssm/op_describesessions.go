package ssm

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// maxSessionFilters is how many filters DescribeSessions takes (API reference).
const maxSessionFilters = 6

func (r *Region) describeSessions(req *service.Request, in *sdk.DescribeSessionsInput) (*sdk.DescribeSessionsOutput, error) {
	if !slices.Contains(in.State.Values(), in.State) {
		return nil, service.ValidationError("Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]", in.State)
	}
	keep, err := sessionFilters(in.Filters, req.Now)
	if err != nil {
		return nil, err
	}
	newestFirst := ordered.New[*Session]()
	for s := range r.at(r.Lag, req.Now).sessions.Values() {
		if s.Active(req.Now) == (in.State == types.SessionStateActive) && keep(s) {
			newestFirst = newestFirst.With(newestKey(s), s)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 1, high: 200, byDefault: 200}, newestFirst)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeSessionsOutput{NextToken: p.next, Sessions: make([]types.Session, len(p.items))}
	for i, s := range p.items {
		out.Sessions[i] = s.out(req.Now)
	}
	return out, nil
}

// newestKey sorts sessions newest first.
func newestKey(s *Session) string {
	return time.Unix(1<<33-s.Started.Unix(), 0).UTC().Format(time.RFC3339) + s.ID
}

// sessionFilters returns the condition that all filters make together.
func sessionFilters(filters []types.SessionFilter, now time.Time) (func(*Session) bool, error) {
	if len(filters) > maxSessionFilters {
		return nil, service.ValidationError("Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to %d", maxSessionFilters)
	}
	var conditions []func(*Session) bool
	for _, f := range filters {
		condition, err := sessionFilter(f, now)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, condition)
	}
	return func(s *Session) bool {
		for _, holds := range conditions {
			if !holds(s) {
				return false
			}
		}
		return true
	}, nil
}

func sessionFilter(f types.SessionFilter, now time.Time) (func(*Session) bool, error) {
	value := aws.ToString(f.Value)
	switch f.Key {
	case types.SessionFilterKeyTargetId:
		return func(s *Session) bool { return s.Target == value }, nil
	case types.SessionFilterKeyOwner:
		return func(s *Session) bool { return s.Owner == value }, nil
	case types.SessionFilterKeySessionId:
		return func(s *Session) bool { return s.ID == value }, nil
	case types.SessionFilterKeyStatus:
		return func(s *Session) bool { return strings.EqualFold(string(s.Status(now)), value) }, nil
	case types.SessionFilterKeyAccessType:
		return func(s *Session) bool { return value == string(s.AccessType()) }, nil
	case types.SessionFilterKeyInvokedAfter, types.SessionFilterKeyInvokedBefore:
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return nil, service.ValidationError("Value '%s' at 'filters' failed to satisfy constraint: Member must be a timestamp as in 2026-08-29T00:00:00Z", value)
		}
		if f.Key == types.SessionFilterKeyInvokedAfter {
			return func(s *Session) bool { return s.Started.After(t) }, nil
		}
		return func(s *Session) bool { return s.Started.Before(t) }, nil
	}
	return nil, invalid("InvalidFilterKey", "The filter key %q is not valid for sessions.", f.Key)
}

func (s *Session) out(now time.Time) types.Session {
	out := types.Session{
		SessionId: aws.String(s.ID), Target: aws.String(s.Target), Owner: aws.String(s.Owner), Status: s.Status(now),
		DocumentName: aws.String(s.DocumentName), StartDate: aws.Time(s.Started), AccessType: s.AccessType(),
		OutputUrl: &types.SessionManagerOutputUrl{},
	}
	if s.Reason != "" {
		out.Reason = aws.String(s.Reason)
	}
	if !s.Ending.IsZero() && !now.Before(s.Ended) {
		out.EndDate = aws.Time(s.Ended)
	}
	return out
}
