package cloud

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

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
	client, err := a.iam(ctx)
	if err != nil {
		return NodeRole{}, err
	}
	name := path.Base(profileARN)
	out, err := client.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	switch {
	case Code(err) == codeNoSuchEntity:
		return NodeRole{}, nil
	case err != nil:
		return NodeRole{}, a.explain(err, "reading instance profile %q", name)
	case out.InstanceProfile == nil || len(out.InstanceProfile.Roles) == 0:
		return NodeRole{}, nil
	}
	return nodeRoleOf(&out.InstanceProfile.Roles[0]), nil
}

// ServiceRole reads the role of a hybrid node, or of default host management, by
// its name, which may have its path before it; none where it does not exist. One
// call.
func (a *Account) ServiceRole(ctx context.Context, name string) (NodeRole, error) {
	client, err := a.iam(ctx)
	if err != nil {
		return NodeRole{}, err
	}
	name = path.Base(name)
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	switch {
	case Code(err) == codeNoSuchEntity:
		return NodeRole{}, nil
	case err != nil:
		return NodeRole{}, a.explain(err, "reading role %q", name)
	}
	return nodeRoleOf(out.Role), nil
}

func nodeRoleOf(r *iamtypes.Role) NodeRole {
	return NodeRole{Name: aws.ToString(r.RoleName), ARN: aws.ToString(r.Arn), Trust: decodeDocument(aws.ToString(r.AssumeRolePolicyDocument))}
}

// RoleAllows asks IAM which permissions a role has, given its policies, its
// permissions boundary and the organisation's policies. The result leaves out a
// permission that conditions make uncertain. One call.
func (a *Account) RoleAllows(ctx context.Context, roleARN string, permissions []check.Permission) (map[check.Permission]bool, error) {
	client, err := a.iam(ctx)
	if err != nil {
		return nil, err
	}
	// Every action is judged on every resource, and what was not asked for is
	// left out of the answer.
	input := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &roleARN, MaxItems: aws.Int32(pageSize)}
	wanted := map[check.Permission]bool{}
	for _, p := range permissions {
		wanted[p] = true
		if !slices.Contains(input.ActionNames, p.Action) {
			input.ActionNames = append(input.ActionNames, p.Action)
		}
		if !slices.Contains(input.ResourceArns, p.Resource) {
			input.ResourceArns = append(input.ResourceArns, p.Resource)
		}
	}
	allowed := map[check.Permission]bool{}
	pages := iam.NewSimulatePrincipalPolicyPaginator(client, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "asking what role %s allows", roleARN)
		}
		for i := range page.EvaluationResults {
			takeDecisions(&page.EvaluationResults[i], wanted, allowed)
		}
	}
	return allowed, nil
}

// takeDecisions takes the decisions on one action. It could not be tried how AWS
// answers for several resources: an entry for each, or one entry with a part for
// each. Either is taken.
func takeDecisions(r *iamtypes.EvaluationResult, wanted, into map[check.Permission]bool) {
	take := func(resource string, d decision) {
		p := check.Permission{Action: aws.ToString(r.EvalActionName), Resource: resource}
		if wanted[p] && d.certain(p.Action) {
			into[p] = d.allowed()
		}
	}
	if len(r.ResourceSpecificResults) == 0 {
		take(aws.ToString(r.EvalResourceName), decision{r.EvalDecision, r.MissingContextValues, r.MatchedStatements})
		return
	}
	for _, part := range r.ResourceSpecificResults {
		take(aws.ToString(part.EvalResourceName), decision{part.EvalResourceDecision, part.MissingContextValues, part.MatchedStatements})
	}
}

// decision is that of a simulation, made without the keys that policies have
// conditions on, and by the statements that matched.
type decision struct {
	decided iamtypes.PolicyEvaluationDecisionType
	missing []string
	matched []iamtypes.Statement
}

func (d *decision) allowed() bool { return d.decided == iamtypes.PolicyEvaluationDecisionTypeAllowed }

// certain reports whether the decision would be the same with all keys. AWS returns
// the keys of all of a role's policies, not only those that matter to an action.
// With other keys, a statement that denies may match what is allowed here, and one
// that allows may match what is denied. Conditions on the calls of the agent itself
// are not usual: where no statement matches such a call, certain takes it as
// denied, since one statement with conditions on anything else would hide that
// nothing is allowed at all. What sessions write to and decrypt with is often
// allowed under conditions.
func (d *decision) certain(action string) bool {
	if len(d.missing) == 0 {
		return true
	}
	service, _, _ := strings.Cut(action, ":")
	return !d.allowed() && len(d.matched) == 0 && (service == "ssm" || service == "ssmmessages")
}

// hostRoleSetting is the id of the service setting that names the role of
// default host management, hostRoleOff its value where that is off.
const (
	hostRoleSetting = "/ssm/managed-instance/default-ec2-instance-management-role"
	hostRoleOff     = "$None"
)

// HostManagementRole reads the name of the role that default host management
// gives to the instances of a region, with its path before it; "" where it is
// off. One call.
func (a *Account) HostManagementRole(ctx context.Context, region string) (string, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", err
	}
	out, err := clients.ssmIn(region).GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(hostRoleSetting)})
	switch {
	case Code(err) == "ServiceSettingNotFound":
		return "", nil
	case err != nil:
		return "", a.explain(err, "reading the default host management of %s", region)
	case out.ServiceSetting == nil || aws.ToString(out.ServiceSetting.SettingValue) == hostRoleOff:
		return "", nil
	}
	return aws.ToString(out.ServiceSetting.SettingValue), nil
}
