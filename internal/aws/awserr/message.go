package awserr

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
)

// Action is the IAM action of the call that failed, such as "iam:CreatePolicy"
// or, when there were no credentials, "sts:AssumeRole"; "" when err is not of a
// call.
func Action(err error) string {
	action := ""
	for {
		operation, ok := errors.AsType[*smithy.OperationError](err)
		if !ok {
			return action
		}
		action = actionOf(operation)
		err = operation.Err
	}
}

// otherwiseNamed are the calls whose permission has another name (service
// authorization reference).
var otherwiseNamed = map[string]string{"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration"}

func actionOf(operation *smithy.OperationError) string {
	service := strings.ToLower(operation.ServiceID)
	if operation.ServiceID == cloudwatchlogs.ServiceID {
		service = "logs"
	}
	action := service + ":" + operation.OperationName
	return cmp.Or(otherwiseNamed[action], action)
}

// UserMessage explains to people what is wrong and what to do about it. It is the
// same for the same failure: it contains no request id, time or session, so that it is
// suitable for a status. It quotes AWS where AWS does not accept what was asked: only that
// text says what is invalid.
func UserMessage(err error) string {
	class := Classify(err)
	if class == None {
		return ""
	}
	if own, ok := errors.AsType[Classified](err); ok {
		return capitalized(own.Error()) + "."
	}
	f := failure{action: Action(err), code: Code(err)}
	if where, ok := errors.AsType[*Error](err); ok {
		f.attempted, f.identity = where.Attempted, where.Identity
	}
	text := f.message(class, err)
	if f.action != "" && strings.HasPrefix(text, f.action) {
		return text // an action is spelt as IAM spells it
	}
	return capitalized(text)
}

func capitalized(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// quotaCodes are those with which AWS declines what a quota does not allow.
var quotaCodes = map[string]bool{
	CodeLimitExceeded: true, "DocumentLimitExceeded": true, "DocumentVersionLimitExceeded": true, "DocumentPermissionLimit": true, "TooManyTagsError": true,
}

type failure struct {
	action, code        string
	attempted, identity string
}

func (f failure) message(class Class, err error) string {
	switch class {
	case Refused:
		return f.refused(err)
	case Throttled:
		return fmt.Sprintf("AWS limits the rate of %s: the operator goes slower and tries again.", f.call())
	case Missing:
		return fmt.Sprintf("What %s names does not exist.", f.call())
	case Conflict:
		return fmt.Sprintf("%s collides with what is there already.", f.call())
	case Waiting:
		return fmt.Sprintf("%s is not possible yet: the operator tries again.", f.call())
	case Canceled:
		return fmt.Sprintf("%s was broken off.", f.call())
	case Invalid:
		if quotaCodes[f.code] {
			return fmt.Sprintf("%s would exceed a quota of the account: have the quota raised or declare less.", f.call())
		}
		if words := Words(err); words != "" {
			return fmt.Sprintf("AWS does not accept %s: %q.", f.call(), words)
		}
		return fmt.Sprintf("AWS does not accept %s.", f.call())
	default:
		if f.code != "" {
			return fmt.Sprintf("AWS failed at %s: the operator tries again.", f.call())
		}
		return fmt.Sprintf("AWS gave no answer to %s: the operator tries again; check the network and the endpoint if it lasts.", f.call())
	}
}

func (f failure) refused(err error) string {
	_, lacking := errors.AsType[*CredentialsError](err)
	switch {
	case lacking && f.code == "":
		return fmt.Sprintf("There are no AWS credentials for %s: give the operator's pod or process credentials.", f.call())
	case IsRejectedCredentials(err):
		return fmt.Sprintf("AWS does not accept the credentials used for %s: check the credentials that the operator runs with, and the clock of its node.", f.call())
	case f.action == "sts:AssumeRole":
		return fmt.Sprintf("AWS refused %s: check that the role exists, let its trust policy admit the operator, with the external id if one is set, and allow the operator sts:AssumeRole on it.", f.call())
	}
	whom := "the operator's identity"
	if f.identity != "" {
		whom = f.identity
	}
	return fmt.Sprintf("AWS refused %s: allow that action to %s.", f.call(), whom)
}

// call names the call, such as `iam:CreatePolicy (AccessDenied) for creating
// policy "x"`.
func (f failure) call() string {
	if f.action == "" {
		return cmp.Or(f.attempted, "the call")
	}
	text := f.action
	if f.code != "" {
		text += " (" + f.code + ")"
	}
	if f.attempted != "" {
		text += " for " + f.attempted
	}
	return text
}
