package awsclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Identity is the AWS identity that the operator uses.
type Identity struct {
	// ARN such as "arn:aws:iam::488821267897:user/operator"; of an assumed role
	// without the session's name:
	// "arn:aws:sts::488821267897:assumed-role/ssm-access-operator".
	ARN       string
	AccountID string
	// Partition such as "aws", "aws-cn", "aws-us-gov".
	Partition string
}

// OnIdentity sets a function that receives the identity each time STS confirms
// that it is of the right account, and at once if STS has. It must not block.
func (a *Account) OnIdentity(f func(Identity)) {
	a.mu.Lock()
	a.onIdentity = append(a.onIdentity, f)
	clients := a.clients
	a.mu.Unlock()
	if id := clients.knownIdentity(); id != (Identity{}) {
		f(id)
	}
}

// identified passes on an identity that STS has confirmed.
func (a *Account) identified(id Identity) {
	a.mu.Lock()
	listeners := a.onIdentity
	a.mu.Unlock()
	for _, f := range listeners {
		f(id)
	}
}

// Identity asks STS for the operator's identity. For an identity of another
// account it also returns a WrongAccountError; nothing is read or written then.
func (a *Account) Identity(ctx context.Context) (Identity, error) {
	return a.identify(ctx, a.current())
}

func (a *Account) identify(ctx context.Context, c *Clients) (Identity, error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, a.Explain(err, "asking for the operator's identity")
	}
	parsed, err := arn.Parse(aws.ToString(out.Arn))
	if err != nil {
		return Identity{}, a.Explain(fmt.Errorf("the identity that STS answered: %w", err), "asking for the operator's identity")
	}
	id := Identity{
		ARN:       withoutSession(parsed),
		AccountID: aws.ToString(out.Account),
		Partition: parsed.Partition,
	}
	if id.AccountID != a.id {
		c.verify(Identity{})
		return id, &awserr.WrongAccountError{Want: a.id, Got: id.AccountID}
	}
	c.verify(id)
	a.identified(id)
	return id, nil
}

// withoutSession takes the session's name, which changes, off an ARN.
func withoutSession(parsed arn.ARN) string {
	if role, found := strings.CutPrefix(parsed.Resource, "assumed-role/"); found {
		name, _, _ := strings.Cut(role, "/")
		parsed.Resource = "assumed-role/" + name
	}
	return parsed.String()
}

func (c *Clients) verify(id Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verified = id
}

// knownIdentity is the verified identity; zero before.
func (c *Clients) knownIdentity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verified
}

// Clients returns the clients, once it is sure that they lead to the right
// account: that costs a call the first time.
func (a *Account) Clients(ctx context.Context) (*Clients, error) {
	c := a.current()
	if c.knownIdentity() != (Identity{}) {
		return c, nil
	}
	// One asks for all who wait.
	select {
	case a.identifying <- struct{}{}:
		defer func() { <-a.identifying }()
	case <-ctx.Done():
		return nil, a.Explain(ctx.Err(), "waiting for the operator's identity")
	}
	if c.knownIdentity() == (Identity{}) {
		if _, err := a.identify(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}
