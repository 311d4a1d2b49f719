package iam

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go/middleware"
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
func (c *Cache) Refresh(ctx context.Context) (RefreshReport, error) {
	select {
	case c.refreshing <- struct{}{}:
		defer func() { <-c.refreshing }()
	case <-ctx.Done():
		return RefreshReport{}, fmt.Errorf("waiting for another refresh: %w", ctx.Err())
	}
	client, err := c.client(ctx)
	if err != nil {
		return RefreshReport{}, err
	}
	inv := newInventory(c.ownership, c.policyARNPrefix(), c.now())
	pages, err := inv.read(ctx, client)
	if err != nil {
		return RefreshReport{}, err
	}
	report, err := c.merge(inv)
	report.Pages = pages
	c.drift(report.Drifts)
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
func (c *Cache) merge(inv *inventory) (RefreshReport, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// An account that held something is never all empty; an answer cut short
	// on the way is.
	if len(inv.principals) == 0 && inv.allPolicies == 0 && len(c.principals) > 0 {
		return RefreshReport{}, &ImplausibleAnswerError{Answer: "that the account holds nothing at all, although it did before"}
	}
	report := RefreshReport{
		First: c.readAt == never,
		Begun: c.timeOf(inv.begun),
		Users: inv.counts[User], Groups: inv.counts[Group], Roles: inv.counts[Role],
		AllPolicies: inv.allPolicies,
	}
	c.mergePolicies(inv, &report)
	c.noteLeft(inv)
	c.mergePrincipals(inv, &report)
	c.members, c.misplaced = inv.members, inv.misplaced
	for _, names := range c.members {
		slices.Sort(names)
	}
	c.readAt = inv.begun
	if report.First {
		report.Drifts, report.Principals = nil, nil
	}
	return report, nil
}

func (c *Cache) mergePolicies(inv *inventory, report *RefreshReport) {
	r := reading{begun: inv.begun}
	for key, seen := range inv.policies {
		if seen.listed {
			report.Policies++
		}
		if c.policies[key] == nil {
			c.policies[key] = c.unknownPolicy(seen.name)
		}
	}
	c.foreignPolicies = inv.allPolicies - report.Policies
	c.policyNames = c.policyNames[:0]
	clear(c.attached)
	for key, p := range c.policies {
		wasUnknown := p.hasUnknown()
		found := p.take(inv.policies[key], r)
		report.Drifts = append(report.Drifts, found.drifts...)
		if wasUnknown && !p.hasUnknown() {
			report.Resolved = append(report.Resolved, p.name)
		}
		if p.idle() && p.existence.read <= inv.begun {
			delete(c.policies, key)
			continue
		}
		c.policyNames = append(c.policyNames, key)
		c.reindex(key, nil, p.attachedTo())
	}
	slices.Sort(c.policyNames)
	slices.Sort(report.Resolved)
	slices.SortFunc(report.Drifts, compareDrifts)
}

func (c *Cache) mergePrincipals(inv *inventory, report *RefreshReport) {
	for key, old := range c.principals {
		if inv.principals[key] != nil {
			continue
		}
		if old.read > inv.begun { // found by a younger point read
			inv.principals[key] = old
			continue
		}
		report.Principals = append(report.Principals, principalOf(key, old.name))
		c.bury(key, old)
	}
	c.forgetAbsences(inv.begun)
	c.userNames = c.userNames[:0]
	for key, now := range inv.principals {
		id := principalOf(key, now.name)
		old := c.principals[key]
		if old != nil && old.id != now.id {
			c.bury(key, old)
		}
		if old == nil || !old.equal(now) {
			report.Principals = append(report.Principals, id)
		}
		if id.Kind == User {
			c.userNames = append(c.userNames, nameKey(now.name))
		}
	}
	slices.Sort(c.userNames)
	slices.SortFunc(report.Principals, comparePrincipals)
	c.principals = inv.principals
}

// equal reports whether nothing that matters to a grant differs.
func (p *principal) equal(q *principal) bool {
	return p.id == q.id && p.name == q.name && p.path == q.path && p.boundary == q.boundary &&
		p.foreignAttachments == q.foreignAttachments && p.complete == q.complete &&
		slices.Equal(p.groups, q.groups) && slices.Equal(p.foreignOwners, q.foreignOwners)
}

const (
	// decoders is how many pages of bulk reads are decoded at once, in all accounts
	// together: a page of 1,000 policies takes some megabytes until it is taken in.
	decoders = 2
	// decoderHold is how long a page keeps its place. One whose body stops coming
	// gives it up, so that its account delays no other.
	decoderHold = 2 * time.Second
)

// decoding bounds the memory of the bulk reads. A request has a place only once its
// answer has begun: an account that does not answer takes none.
type decoding chan struct{}

func newDecoding() decoding { return make(decoding, decoders) }

// option makes a call of the IAM client wait for a place before it is decoded.
func (d decoding) option(o *iam.Options) { o.APIOptions = append(o.APIOptions, d.install) }

// install is an APIOption of the SDK's clients. It is called for each call.
func (d decoding) install(stack *middleware.Stack) error {
	leave := func() {}
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LeaveDecoding", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		leave()
		return out, metadata, err
	}), middleware.Before); err != nil {
		return err
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("EnterDecoding", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if err == nil {
			leave, err = d.enter(ctx)
		}
		return out, metadata, err
	}), middleware.After)
}

// enter waits for a place. leave gives it up, and may be called more than once.
func (d decoding) enter(ctx context.Context) (leave func(), err error) {
	select {
	case d <- struct{}{}:
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
	give := sync.OnceFunc(func() { <-d })
	timer := time.AfterFunc(decoderHold, give)
	return func() { timer.Stop(); give() }, nil
}
