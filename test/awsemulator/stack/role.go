package stack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

func emptyProfile(t target) (undo, error) {
	role, err := t.role()
	if err != nil {
		return nil, err
	}
	profile := t.node.InstanceProfile
	if err := t.IAM.SetProfileRole(profile, ""); err != nil {
		return nil, err
	}
	return func() error { return t.IAM.SetProfileRole(profile, role.Name) }, nil
}

// detachPermissions takes the policy away by which the agent may talk to
// Session Manager.
func detachPermissions(t target) (undo, error) {
	role, err := t.role()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(role.Attached, func(arn string) bool { return strings.HasSuffix(arn, "/AmazonSSMManagedInstanceCore") })
	if i < 0 {
		return nil, notHere("the role %s does not have AmazonSSMManagedInstanceCore", role.Name)
	}
	policy := role.Attached[i]
	if err := t.IAM.Detach(iam.Role, role.Name, policy); err != nil {
		return nil, err
	}
	return func() error { return t.IAM.Attach(iam.Role, role.Name, policy) }, nil
}

// trustOthers lets another service than EC2 have the role.
func trustOthers(t target) (undo, error) {
	role, err := t.role()
	if err != nil {
		return nil, err
	}
	const lambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if err := t.IAM.SetTrust(role.Name, lambda); err != nil {
		return nil, err
	}
	return func() error { return t.IAM.SetTrust(role.Name, role.Trust.Text) }, nil
}

// withoutActions removes the statements of the role's inline policies that
// allow actions with the prefix.
func withoutActions(prefix string) func(target) (undo, error) {
	return func(t target) (undo, error) {
		role, err := t.role()
		if err != nil {
			return nil, err
		}
		for _, policy := range role.Inline {
			text, taken, err := withoutStatements(policy.Text, func(s map[string]json.RawMessage) bool {
				return strings.Contains(string(s["Action"]), `"`+prefix)
			})
			if err != nil {
				return nil, err
			}
			if len(taken) == 0 {
				continue
			}
			if err := t.IAM.SetInline(iam.Role, role.Name, policy.Name, text); err != nil {
				return nil, err
			}
			return func() error { return t.giveBack(role.Name, policy.Name, taken) }, nil
		}
		return nil, notHere("no inline policy of the role %s allows actions of %s", role.Name, prefix)
	}
}

// giveBack puts statements into an inline policy again.
func (t target) giveBack(role, policy string, statements []json.RawMessage) error {
	e, ok := t.IAM.Latest().Entity(iam.Role, role)
	if !ok {
		return fmt.Errorf("there is no role %s any more", role)
	}
	for _, p := range e.Inline {
		if p.Name != policy {
			continue
		}
		text, err := withStatements(p.Text, statements)
		if err != nil {
			return err
		}
		return t.IAM.SetInline(iam.Role, role, policy, text)
	}
	return fmt.Errorf("the role %s has no inline policy %s any more", role, policy)
}
