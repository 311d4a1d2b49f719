package iam

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// NodeRole is the role of a node, as IAM has it. The zero value is none.
type NodeRole struct {
	Name, ARN string
	// Trust is the trust policy as JSON.
	Trust string
}

// ProfileRole reads the role in an instance profile by the profile's ARN; none
// where the profile does not exist or is empty. One call.
func (a *Account) ProfileRole(ctx context.Context, profileARN string) (NodeRole, error) {
	client, err := a.client(ctx)
	if err != nil {
		return NodeRole{}, err
	}
	name := path.Base(profileARN)
	out, err := client.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	switch {
	case awserr.Code(err) == awserr.CodeNoSuchEntity:
		return NodeRole{}, nil
	case err != nil:
		return NodeRole{}, a.Explain(err, "reading instance profile %q", name)
	case out.InstanceProfile == nil || len(out.InstanceProfile.Roles) == 0:
		return NodeRole{}, nil
	}
	return nodeRoleOf(&out.InstanceProfile.Roles[0]), nil
}

// ServiceRole reads the role of a hybrid node, or of default host management, by
// its name, which may have its path before it; none where it does not exist. One
// call.
func (a *Account) ServiceRole(ctx context.Context, name string) (NodeRole, error) {
	client, err := a.client(ctx)
	if err != nil {
		return NodeRole{}, err
	}
	name = path.Base(name)
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	switch {
	case awserr.Code(err) == awserr.CodeNoSuchEntity:
		return NodeRole{}, nil
	case err != nil:
		return NodeRole{}, a.Explain(err, "reading role %q", name)
	}
	return nodeRoleOf(out.Role), nil
}

func nodeRoleOf(r *iamtypes.Role) NodeRole {
	return NodeRole{Name: aws.ToString(r.RoleName), ARN: aws.ToString(r.Arn), Trust: decodeDocument(aws.ToString(r.AssumeRolePolicyDocument))}
}

// Allowance is whether a node's role allows what an agent does.
type Allowance struct {
	Allowed bool
	// Organization: a service control policy is why it does not.
	Organization bool
	// Conditions are the condition keys on which it may depend, because only calls from
	// the node itself have them. Empty: the decision is certain.
	Conditions []string
}

// RoleAllows asks IAM which permissions a role has in a region, given its policies, its
// permissions boundary and the organisation's policies. The result leaves out a
// permission that conditions make uncertain. One call.
func (a *Account) RoleAllows(ctx context.Context, roleARN, region string, permissions []check.Permission) (map[check.Permission]Allowance, error) {
	// Every action is judged on every resource, and what was not asked for is
	// left out of the answer.
	s := &Simulation{PrincipalARN: roleARN, Context: CallContext(roleARN, region)}
	s.Context["aws:PrincipalType"] = []string{"AssumedRole"}
	wanted := map[check.Permission]bool{}
	for _, p := range permissions {
		wanted[p] = true
		if !slices.Contains(s.Actions, p.Action) {
			s.Actions = append(s.Actions, p.Action)
		}
		if !slices.Contains(s.Resources, p.Resource) {
			s.Resources = append(s.Resources, p.Resource)
		}
	}
	decisions, err := a.Simulate(ctx, s)
	if err != nil {
		return nil, err
	}
	allowed := map[check.Permission]Allowance{}
	for i := range decisions {
		d := &decisions[i]
		p := check.Permission{Action: d.Action, Resource: d.Resource}
		if allowance, judged := allowanceOf(d); wanted[p] && judged {
			allowed[p] = allowance
		}
	}
	return allowed, nil
}

// nodeKeys are the condition keys, in lower case, that calls from a node have and a
// simulation has not: which instance calls, and from where.
var nodeKeys = map[string]bool{
	"ssm:sourceinstancearn": true, "ec2:sourceinstancearn": true, "aws:ec2instancesourcevpc": true,
	"aws:ec2instancesourceprivateipv4": true, "aws:sourceip": true, "aws:sourcevpc": true, "aws:sourcevpcarn": true,
	"aws:sourcevpce": true, "aws:vpcsourceip": true, "aws:vpceaccount": true, "aws:vpceorgid": true, "aws:vpceorgpaths": true,
}

// allowanceOf judges a decision that was made without the keys that policies have
// conditions on. judged reports whether it would be the same with all keys, or is known
// to depend on the node.
//
// AWS returns the keys of all of a role's policies, not only those that matter to an
// action. With other keys, a statement that denies may match what is allowed here, and
// one that allows may match what is denied. Conditions on the calls of the agent itself
// are about the node, if there are any: where no statement matches such a call and no
// such key is missing, it is denied, since one statement with conditions on anything else
// would hide that nothing is allowed at all. What sessions write to and decrypt with is
// often allowed under conditions.
func allowanceOf(d *Decision) (_ Allowance, judged bool) {
	service, _, _ := strings.Cut(d.Action, ":")
	agents := service == "ssm" || service == "ssmmessages"
	conditions := slices.DeleteFunc(slices.Clone(d.Missing), func(key string) bool { return !nodeKeys[strings.ToLower(key)] })
	switch {
	case d.Organization, len(d.Missing) == 0:
		return Allowance{Allowed: d.Allowed, Organization: d.Organization}, true
	case d.Allowed || len(d.Policies) > 0 || !agents:
		return Allowance{}, false
	case len(conditions) > 0:
		return Allowance{Conditions: conditions}, true
	default:
		return Allowance{}, true
	}
}
