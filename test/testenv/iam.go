package testenv

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// boundaryFile is the permissions boundary that config/iam recommends.
const boundaryFile = "boundary-policy.json"

// notIdentityPolicies are the documents of config/iam that are not attached to
// the role in a managed account.
var notIdentityPolicies = []string{"trust-policy.json", "caller-policy.json", boundaryFile}

// policyDocument is an IAM policy as far as it is changed here.
type policyDocument struct {
	Version   string           `json:"Version"`
	Statement []map[string]any `json:"Statement"`
}

// OperatorPolicies are the file names of the documents in config/iam that make
// up what the operator may do in an account.
func (c *Cluster) OperatorPolicies() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(c.Checkout, "config", "iam", "*-policy.json"))
	if err != nil {
		return nil, fmt.Errorf("list the operator's policies: %w", err)
	}
	var names []string
	for _, path := range paths {
		if name := filepath.Base(path); !slices.Contains(notIdentityPolicies, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// PolicyActions are the actions that a document of config/iam allows.
func (c *Cluster) PolicyActions(file string) ([]string, error) {
	document, err := c.readPolicy(file, nil)
	if err != nil {
		return nil, err
	}
	var actions []string
	for _, statement := range document.Statement {
		if statement["Effect"] == "Allow" {
			actions = append(actions, list(statement["Action"])...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions), nil
}

// OperatorActions are all actions that the documents allow which make up what the
// operator may do.
func (c *Cluster) OperatorActions() ([]string, error) {
	names, err := c.OperatorPolicies()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range names {
		actions, err := c.PolicyActions(name)
		if err != nil {
			return nil, err
		}
		all = append(all, actions...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// readPolicy reads a document of config/iam, without the actions that are withheld.
func (c *Cluster) readPolicy(file string, withheld []string) (*policyDocument, error) {
	text, err := os.ReadFile(filepath.Join(c.Checkout, "config", "iam", file))
	if err != nil {
		return nil, fmt.Errorf("read the operator's policy: %w", err)
	}
	document := &policyDocument{}
	if err := json.Unmarshal(text, document); err != nil {
		return nil, fmt.Errorf("read the operator's policy %s: %w", file, err)
	}
	document.Statement = slices.DeleteFunc(document.Statement, func(statement map[string]any) bool { return !withhold(statement, withheld) })
	return document, nil
}

// withhold takes actions out of a statement that allows, and reports whether it
// allows any still.
func withhold(statement map[string]any, withheld []string) (left bool) {
	if statement["Effect"] != "Allow" {
		return true
	}
	actions := slices.DeleteFunc(list(statement["Action"]), func(action string) bool {
		return slices.ContainsFunc(withheld, func(w string) bool { return strings.EqualFold(w, action) })
	})
	statement["Action"] = actions
	return len(actions) > 0
}

// list takes what may be one string for a list of it.
func list(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i], _ = v[i].(string)
		}
		return texts
	default:
		return nil
	}
}

// permitOperator gives the operator of a fixture the very policies that config/iam
// recommends, in place of the fixture's own: each by itself, as it is attached in
// AWS. Of none, all are attached.
func (c *Cluster) permitOperator(fixture *fixtures.Fixture, files, withheld []string) error {
	if len(files) == 0 {
		var err error
		if files, err = c.OperatorPolicies(); err != nil {
			return err
		}
	}
	var policies []fixtures.Policy
	var names []string
	for _, file := range files {
		policy, err := c.policy(file, withheld)
		if err != nil {
			return err
		}
		if policy.Document == nil {
			continue // Nothing is left of it.
		}
		policies, names = append(policies, policy), append(names, policy.Name)
	}
	for a := range fixture.Accounts {
		account := &fixture.Accounts[a]
		account.Policies = append(slices.Clone(account.Policies), policies...)
		eachOperator(account, func(g *fixtures.Grants) {
			g.Attached = slices.DeleteFunc(slices.Clone(g.Attached), func(name string) bool { return name == operatorUser })
			g.Attached = append(g.Attached, names...)
		})
	}
	return nil
}

// policy is a document of config/iam as a managed policy. It has no document where
// nothing is left of it.
func (c *Cluster) policy(file string, withheld []string) (fixtures.Policy, error) {
	policy := fixtures.Policy{Name: operatorUser + "-" + strings.TrimSuffix(file, "-policy.json")}
	read, err := c.readPolicy(file, withheld)
	if err != nil || len(read.Statement) == 0 {
		return policy, err
	}
	if policy.Document, err = json.Marshal(read); err != nil {
		return policy, fmt.Errorf("write the operator's policy %s: %w", file, err)
	}
	return policy, nil
}

// eachOperator changes what the operator's user and role of an account are granted.
func eachOperator(account *fixtures.Account, change func(*fixtures.Grants)) {
	for u := range account.Users {
		if account.Users[u].Name == operatorUser {
			change(&account.Users[u].Grants)
		}
	}
	for r := range account.Roles {
		if account.Roles[r].Name == operatorUser {
			change(&account.Roles[r].Grants)
		}
	}
}

// boundOperator puts the recommended permissions boundary on the operator, without
// the actions that are withheld.
func (c *Cluster) boundOperator(fixture *fixtures.Fixture, withheld []string) error {
	boundary, err := c.policy(boundaryFile, withheld)
	if err != nil {
		return err
	}
	for a := range fixture.Accounts {
		account := &fixture.Accounts[a]
		account.Policies = append(account.Policies, boundary)
		eachOperator(account, func(g *fixtures.Grants) { g.Boundary = boundary.Name })
	}
	return nil
}
