package ssm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// NewActivation is what an activation is asked to be.
type NewActivation struct {
	// Role is the IAM role that nodes get: its path, without the first slash, and its
	// name, at most 64 characters together.
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
	return "no answer that says what came of it: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnansweredError) Unwrap() error { return e.Err }

// RoleNotUsableError means that Systems Manager cannot assume the role of an
// activation: the role does not exist, its trust policy does not admit the
// service, or it was created seconds ago and is not visible everywhere yet.
type RoleNotUsableError struct{ Role string }

// Error implements error.
func (e *RoleNotUsableError) Error() string {
	path := "if it has a path, write that before the name, as in service-role/NAME; "
	if strings.Contains(e.Role, "/") {
		path = ""
	}
	return fmt.Sprintf("role %q does not exist or does not let ssm.amazonaws.com assume it: %screate the role, or add that service to its trust policy", e.Role, path)
}

// Class implements awserr.Classified.
func (*RoleNotUsableError) Class() awserr.Class { return awserr.Missing }

// unusableRole is in AWS's message for such a role, wherever that begins. Its code is that of every
// rejected parameter and does not identify the case: this is the only place
// that reads a message.
const unusableRole = "nonexistent role or missing ssm service principal"

// CreateActivation creates an activation and returns its id and its code, which
// AWS returns only here. The request is sent once. The error is an
// UnansweredError when it may have taken effect nevertheless, and a
// RoleNotUsableError for such a role. One call.
func (r Region) CreateActivation(ctx context.Context, n NewActivation) (id string, code ActivationCode, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return "", ActivationCode{}, err
	}
	var effect awsclient.WriteEffect
	out, err := client.CreateActivation(ctx, &ssm.CreateActivationInput{
		IamRole: &n.Role, RegistrationLimit: &n.Limit, ExpirationDate: &n.Expires,
		DefaultInstanceName: optional(n.DefaultInstanceName), Description: optional(n.Description), Tags: tagList(n.Tags),
	}, effect.SSM)
	switch {
	case err == nil:
		return aws.ToString(out.ActivationId), NewActivationCode(aws.ToString(out.ActivationCode)), nil
	case effect.Unknown():
		err = &UnansweredError{err}
	case isUnusableRole(err):
		return "", ActivationCode{}, errors.Join(&RoleNotUsableError{Role: n.Role}, err)
	}
	return "", ActivationCode{}, r.account.Explain(err, "creating an activation with role %q in %s", n.Role, r.name)
}

func isUnusableRole(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && strings.Contains(strings.ToLower(api.ErrorMessage()), unusableRole)
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
