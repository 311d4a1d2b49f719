package authz

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	// actionForm is "service:Name"; the name may hold wildcards, the service not.
	actionForm  = regexp.MustCompile(`^[A-Za-z0-9.-]+:[A-Za-z0-9*?_-]+$`)
	serviceForm = regexp.MustCompile(`^[a-z0-9-]+$`)
	regionForm  = regexp.MustCompile(`^[a-z0-9*?-]*$`)
	accountForm = regexp.MustCompile(`^([0-9]{12}|aws|[0-9]*[*?][0-9*?]*)?$`)
)

// partitions are those of AWS's endpoint metadata.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"}

// iamResources are the ways in which the resource part of an ARN of IAM begins.
var iamResources = []string{
	"access-report/", "federated-user/", "group/", "instance-profile/", "mfa/", "oidc-provider/", "policy/",
	"report/", "role/", "saml-provider/", "server-certificate/", "sms-mfa/", "user/",
}

// parseAction compiles an Action or NotAction string. Actions are matched
// without regard to case.
func parseAction(s string) (glob, error) {
	switch {
	case s == "*" || actionForm.MatchString(s):
	case strings.Count(s, ":") > 1:
		return glob{}, fmt.Errorf("%q: an action holds only one colon", s)
	case !strings.Contains(s, ":"):
		return glob{}, fmt.Errorf("%q: an action starts with the service, as in ssm:StartSession", s)
	default:
		return glob{}, fmt.Errorf("%q is not an action; write service:Name, with * and ? in the name only", s)
	}
	t, err := parseTemplate(strings.ToLower(s), dialect{wildcards: true})
	return t.compiled, err
}

// parseResource checks and compiles a Resource or NotResource string. Unlike
// in ARN condition operators the pattern is one string: a "*" reaches over
// colons and slashes.
func parseResource(s string, variables bool) (template, error) {
	if s != "*" {
		if err := checkResource(s, variables); err != nil {
			return template{}, fmt.Errorf("%q: %w", s, err)
		}
	}
	return parseTemplate(s, dialect{variables: variables, wildcards: true})
}

// checkResource applies what IAM checks about an ARN when a policy is stored. A
// shorter ARN is accepted when it ends in a star that can match the rest, as in
// arn:aws:ec2:*.
func checkResource(s string, variables bool) error {
	fields := strings.SplitN(s, ":", arnFields)
	if fields[0] != "arn" || len(fields) < 2 {
		return errors.New(`a resource is an ARN or "*"`)
	}
	if variables && strings.Contains(strings.Join(fields[:min(len(fields), arnFields-1)], ":"), "${") {
		return errors.New("a policy variable may stand only after the ARN's fifth colon")
	}
	if fields[1] != "*" && !slices.Contains(partitions, fields[1]) {
		return fmt.Errorf("the partition %q is not known", fields[1])
	}
	if len(fields) < 3 || !serviceForm.MatchString(fields[2]) {
		return errors.New("the ARN's service must be written out, without wildcards")
	}
	if len(fields) < arnFields {
		if len(fields) == 3 || !strings.HasSuffix(s, "*") {
			return errors.New("the ARN has too few parts; write arn:partition:service:region:account:resource")
		}
		return checkRegionAndAccount(fields[2], fields[3], "", fields[3:])
	}
	if fields[5] == "" {
		return errors.New("the ARN's resource is empty")
	}
	return checkRegionAndAccount(fields[2], fields[3], fields[5], fields[3:5])
}

// checkRegionAndAccount checks the fields from the region on.
func checkRegionAndAccount(service, region, resource string, rest []string) error {
	if !regionForm.MatchString(region) {
		return fmt.Errorf("the region %q is out of form", region)
	}
	if len(rest) > 1 && !accountForm.MatchString(rest[1]) {
		return fmt.Errorf("the account %q is not a number of 12 digits", rest[1])
	}
	global := service == "iam" || (service == "s3" && !strings.HasPrefix(resource, "accesspoint/"))
	if global && region != "" {
		return fmt.Errorf("an ARN of %s has no region", service)
	}
	if service == "iam" && resource != "" && !isIAMResource(resource) {
		return fmt.Errorf("an ARN of iam ends in * or starts its resource with one of %s", strings.Join(iamResources, ", "))
	}
	return nil
}

func isIAMResource(resource string) bool {
	return strings.HasPrefix(resource, "*") || slices.ContainsFunc(iamResources, func(start string) bool {
		return strings.HasPrefix(resource, start)
	})
}
