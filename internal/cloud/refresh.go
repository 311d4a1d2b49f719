package cloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// pageSize is the most entities that IAM gives in one page of the bulk read.
const pageSize = 1000

// bulkReader is the part of the IAM client that reads a whole account.
type bulkReader interface {
	GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (
		*iam.GetAccountAuthorizationDetailsOutput, error)
}

// Refresh reads the whole account and takes it over, all or nothing. A second
// Refresh waits for the first to end. It costs one call a thousand principals
// and policies.
func (m *Mirror) Refresh(ctx context.Context) (RefreshReport, error) {
	select {
	case m.refreshing <- struct{}{}:
		defer func() { <-m.refreshing }()
	case <-ctx.Done():
		return RefreshReport{}, fmt.Errorf("waiting for another refresh: %w", ctx.Err())
	}
	client, err := m.client(ctx)
	if err != nil {
		return RefreshReport{}, err
	}
	inv := newInventory(m.ownership, m.policyARNPrefix(), m.now())
	pages, err := inv.read(ctx, client)
	if err != nil {
		return RefreshReport{}, err
	}
	report, err := m.merge(inv)
	report.Pages = pages
	m.drift(report.Drifts)
	return report, err
}

// read takes in all pages. Pages may be short: only IsTruncated counts.
func (inv *inventory) read(ctx context.Context, client bulkReader) (pages int, err error) {
	input := &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{
			types.EntityTypeUser, types.EntityTypeRole, types.EntityTypeGroup, types.EntityTypeLocalManagedPolicy,
		},
		MaxItems: aws.Int32(pageSize),
	}
	for {
		page, err := client.GetAccountAuthorizationDetails(ctx, input)
		if err != nil {
			return pages, err
		}
		pages++
		inv.add(page)
		if !page.IsTruncated {
			return pages, nil
		}
		if aws.ToString(page.Marker) == "" {
			return pages, &ImplausibleAnswerError{Answer: "that there are more pages, but not where they begin"}
		}
		input.Marker = page.Marker
	}
}

// merge takes over a bulk read.
func (m *Mirror) merge(inv *inventory) (RefreshReport, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// An account that held something is never all empty; an answer cut short
	// on the way is.
	if len(inv.principals) == 0 && inv.allPolicies == 0 && len(m.principals) > 0 {
		return RefreshReport{}, &ImplausibleAnswerError{Answer: "that the account holds nothing at all, although it did before"}
	}
	report := RefreshReport{
		First: m.readAt == never,
		Begun: m.timeOf(inv.begun),
		Users: inv.counts[User], Groups: inv.counts[Group], Roles: inv.counts[Role],
		AllPolicies: inv.allPolicies,
	}
	m.mergePolicies(inv, &report)
	m.mergePrincipals(inv, &report)
	m.members, m.misplaced = inv.members, inv.misplaced
	for _, names := range m.members {
		slices.Sort(names)
	}
	m.readAt = inv.begun
	if report.First {
		report.Drifts, report.Principals = nil, nil
	}
	return report, nil
}

func (m *Mirror) mergePolicies(inv *inventory, report *RefreshReport) {
	r := reading{begun: inv.begun}
	for key, seen := range inv.policies {
		if seen.listed {
			report.Policies++
		}
		if m.policies[key] == nil {
			m.policies[key] = m.unknownPolicy(seen.name)
		}
	}
	m.foreignPolicies = inv.allPolicies - report.Policies
	m.policyNames = m.policyNames[:0]
	clear(m.attached)
	for key, p := range m.policies {
		inDoubt := p.inDoubt()
		found := p.take(inv.policies[key], r)
		report.Drifts = append(report.Drifts, found.drifts...)
		if inDoubt && !p.inDoubt() {
			report.Resolved = append(report.Resolved, p.name)
		}
		if p.idle() && p.existence.read <= inv.begun {
			delete(m.policies, key)
			continue
		}
		m.policyNames = append(m.policyNames, key)
		m.reindex(key, nil, p.attachedTo())
	}
	slices.Sort(m.policyNames)
	slices.Sort(report.Resolved)
	slices.SortFunc(report.Drifts, compareDrifts)
}

func (m *Mirror) mergePrincipals(inv *inventory, report *RefreshReport) {
	for key, old := range m.principals {
		if inv.principals[key] != nil {
			continue
		}
		if old.read > inv.begun { // found by a younger point read
			inv.principals[key] = old
			continue
		}
		report.Principals = append(report.Principals, principalOf(key, old.name))
		m.bury(key, old)
	}
	m.forgetAbsences(inv.begun)
	m.userNames = m.userNames[:0]
	for key, now := range inv.principals {
		id := principalOf(key, now.name)
		old := m.principals[key]
		if old != nil && old.id != now.id {
			m.bury(key, old)
		}
		if old == nil || !old.equal(now) {
			report.Principals = append(report.Principals, id)
		}
		if id.Kind == User {
			m.userNames = append(m.userNames, nameKey(now.name))
		}
	}
	slices.Sort(m.userNames)
	slices.SortFunc(report.Principals, comparePrincipals)
	m.principals = inv.principals
}

// equal reports whether nothing that matters to a grant differs.
func (p *principal) equal(q *principal) bool {
	return p.id == q.id && p.name == q.name && p.path == q.path && p.boundary == q.boundary &&
		p.foreignAttachments == q.foreignAttachments && p.complete == q.complete &&
		slices.Equal(p.groups, q.groups) && slices.Equal(p.foreignOwners, q.foreignOwners)
}
