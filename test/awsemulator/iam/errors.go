package iam

import (
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func noSuchEntity(kind Kind, name string) error {
	return wire.Errorf(404, "NoSuchEntity", "The %s with name %s cannot be found.", strings.ToLower(string(kind)), name)
}

func noSuchPolicy(arn string) error {
	return wire.Errorf(404, "NoSuchEntity", "Policy %s was not found.", arn)
}

func notAttachable(arn string) error {
	return wire.Errorf(404, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
}

func noSuchVersion(arn, version string) error {
	return wire.Errorf(404, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", arn, version)
}

func alreadyExists(what, name string) error {
	if what == "policy" {
		return wire.Errorf(409, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
	}
	return wire.Errorf(409, "EntityAlreadyExists", "%s with name %s already exists.", what, name)
}

func deleteConflict(message string) error { return wire.Errorf(409, "DeleteConflict", "%s", message) }

func limitExceeded(quota string, value int) error {
	return wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for %s: %d", quota, value)
}

func malformedDocument(err error) error {
	return wire.Errorf(400, "MalformedPolicyDocument", "%s", err.Error())
}

func protectedRole(name string) error {
	return wire.Errorf(400, "UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", name)
}

func invalidInput(format string, args ...any) error {
	return wire.Errorf(400, "InvalidInput", format, args...)
}
