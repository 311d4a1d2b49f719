package iam

import (
	"regexp"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// The patterns of IAM's names (IAM API Reference).
var (
	policyNamePattern  = service.NewPattern("policyName", `[\w+=,.@-]+`, 1, 128)
	userNamePattern    = service.NewPattern("userName", `[\w+=,.@-]+`, 1, 64)
	groupNamePattern   = service.NewPattern("groupName", `[\w+=,.@-]+`, 1, 128)
	roleNamePattern    = service.NewPattern("roleName", `[\w+=,.@-]+`, 1, 64)
	pathPattern        = service.NewPattern("path", `(\x{2F})|(\x{2F}[\x{21}-\x{7E}]+\x{2F})`, 1, 512)
	tagKeyPattern      = service.NewPattern("tags.member.key", `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, 1, 128)
	tagValuePattern    = service.NewPattern("tags.member.value", `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, 0, 256)
	policyARNPattern   = service.NewPattern("policyArn", `arn:[a-z-]+:iam::(\d{12}|aws):policy/[\x{21}-\x{7E}]+`, 20, 2048)
	descriptionPattern = service.NewPattern("description", `(?s).*`, 0, 1000)
	versionIDPattern   = regexp.MustCompile(`^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$`)
	documentCharacters = regexp.MustCompile(`^[\x{09}\x{0A}\x{0D}\x{20}-\x{FF}]+$`)
)

func namePattern(k Kind) service.Pattern {
	switch k {
	case User:
		return userNamePattern
	case Group:
		return groupNamePattern
	default:
		return roleNamePattern
	}
}

// checkPath returns the path, "/" when none was given.
func checkPath(path *string) (string, error) {
	if path == nil {
		return "/", nil
	}
	return *path, pathPattern.Check(*path)
}

// readDocument checks a policy document's characters and parses it.
func readDocument(member, text string, parse func([]byte) (*authz.Document, error)) (Document, error) {
	if len(text) > maxDocumentParameterLength {
		return Document{}, service.ValidationError("Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, maxDocumentParameterLength)
	}
	if !documentCharacters.MatchString(text) {
		return Document{}, wire.Errorf(400, "ValidationError", "The specified value for %s is invalid. It must contain only printable ASCII characters.", member)
	}
	parsed, err := parse([]byte(text))
	if err != nil {
		return Document{}, malformedDocument(err)
	}
	return Document{Text: text, Parsed: parsed}, nil
}

// size is a document's length as quotas count it: without white space.
func (d Document) size() int { return authz.MinifiedSize([]byte(d.Text)) }
