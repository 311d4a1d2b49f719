package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
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

// Identity asks STS for the operator's identity. For an identity of another
// account it also returns a WrongAccountError; nothing is read or written then.
func (a *Account) Identity(ctx context.Context) (Identity, error) {
	return a.identify(ctx, a.current())
}

func (a *Account) identify(ctx context.Context, c *clients) (Identity, error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, a.explain(err, "asking as whom the operator acts")
	}
	parsed, err := arn.Parse(aws.ToString(out.Arn))
	if err != nil {
		return Identity{}, a.explain(fmt.Errorf("the identity that STS answered: %w", err), "asking as whom the operator acts")
	}
	id := Identity{
		ARN:       withoutSession(parsed),
		AccountID: aws.ToString(out.Account),
		Partition: parsed.Partition,
	}
	if id.AccountID != a.id {
		c.verify(Identity{})
		return id, &WrongAccountError{Want: a.id, Got: id.AccountID}
	}
	c.verify(id)
	a.mirror.setARNs(id)
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

func (c *clients) verify(id Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verified = id
}

// knownIdentity is the verified identity; zero before.
func (c *clients) knownIdentity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verified
}

// verifiedClients returns the clients, once it is sure that they lead to the
// right account: that costs a call the first time.
func (a *Account) verifiedClients(ctx context.Context) (*clients, error) {
	c := a.current()
	if c.knownIdentity() != (Identity{}) {
		return c, nil
	}
	// One asks for all who wait.
	unlock, err := a.identifying.lock(ctx, "")
	if err != nil {
		return nil, a.explain(err, "waiting to know as whom the operator acts")
	}
	defer unlock()
	if c.knownIdentity() == (Identity{}) {
		if _, err := a.identify(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (a *Account) iam(ctx context.Context) (*iam.Client, error) {
	c, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	return c.iam, nil
}

var errNoCredentials = errors.New("the configuration has none")
