package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// NewActivation is what an activation is asked to be.
type NewActivation struct {
	// Role is the name of the IAM role that nodes get, at most 64 characters.
	Role string
	// Limit is how many machines may register, 1 to 1000.
	Limit int32
	// Expires is at most 30 days from now.
	Expires time.Time
	// DefaultInstanceName and Description have at most 256 characters; "" is none.
	DefaultInstanceName, Description string
	// Tags are copied to the nodes.
	Tags map[string]string
}

// UnansweredError means that a write was sent and its answer is unknown: the
// write may have taken effect, or may still do so.
type UnansweredError struct{ Err error }

// Error implements error.
func (e *UnansweredError) Error() string {
	return "no answer that tells what came of it: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnansweredError) Unwrap() error { return e.Err }

// RoleNotUsableError means that Systems Manager cannot assume the role of an
// activation: the role does not exist, its trust policy does not admit the
// service, or it was created seconds ago and is not visible everywhere yet.
type RoleNotUsableError struct{ Role string }

// Error implements error.
func (e *RoleNotUsableError) Error() string {
	return fmt.Sprintf("role %q does not exist or does not let ssm.amazonaws.com assume it: create the role, or add that service to its trust policy", e.Role)
}

func (*RoleNotUsableError) class() Class { return Missing }

// unusableRole begins AWS's message for such a role. Its code is that of every
// rejected parameter and does not identify the case: this is the only place
// that reads a message.
const unusableRole = "Nonexistent role or missing ssm service principal in trust policy"

// CreateActivation creates an activation and returns its id and its code, which
// AWS returns only here. The request is sent once. The error is an
// UnansweredError when it may have taken effect nevertheless, and a
// RoleNotUsableError for such a role. One call.
func (a *Account) CreateActivation(ctx context.Context, region string, n NewActivation) (id string, code ActivationCode, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", ActivationCode{}, err
	}
	var watched effect
	out, err := clients.ssmIn(region).CreateActivation(ctx, &ssm.CreateActivationInput{
		IamRole: &n.Role, RegistrationLimit: &n.Limit, ExpirationDate: &n.Expires,
		DefaultInstanceName: optionalText(n.DefaultInstanceName), Description: optionalText(n.Description), Tags: ssmTags(n.Tags),
	}, watched.ssmOption)
	switch {
	case err == nil:
		return aws.ToString(out.ActivationId), NewActivationCode(aws.ToString(out.ActivationCode)), nil
	case watched.doubtful:
		err = &UnansweredError{err}
	case isUnusableRole(err):
		return "", ActivationCode{}, errors.Join(&RoleNotUsableError{Role: n.Role}, err)
	}
	return "", ActivationCode{}, a.explain(err, "creating an activation with role %q in %s", n.Role, region)
}

func isUnusableRole(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && strings.HasPrefix(api.ErrorMessage(), unusableRole)
}

func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func ssmTags(tags map[string]string) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}
