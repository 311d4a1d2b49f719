package testenv

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fixtures"
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

// OperatorActions are all actions that those documents allow.
func (c *Cluster) OperatorActions() ([]string, error) {
	merged, err := c.operatorPolicy(nil)
	if err != nil {
		return nil, err
	}
	var actions []string
	for _, statement := range merged.Statement {
		if statement["Effect"] == "Allow" {
			actions = append(actions, list(statement["Action"])...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions), nil
}

// operatorPolicy is one document with the statements of all, without the
// actions that are withheld.
func (c *Cluster) operatorPolicy(withheld []string) (*policyDocument, error) {
	names, err := c.OperatorPolicies()
	if err != nil {
		return nil, err
	}
	merged := &policyDocument{Version: "2012-10-17"}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(c.Checkout, "config", "iam", name))
		if err != nil {
			return nil, fmt.Errorf("read the operator's policy: %w", err)
		}
		var document policyDocument
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("read the operator's policy %s: %w", name, err)
		}
		for _, statement := range document.Statement {
			if withhold(statement, withheld) {
				merged.Statement = append(merged.Statement, statement)
			}
		}
	}
	return merged, nil
}

// withhold takes actions out of a statement that allows, and says whether it
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

// permitOperator gives the operator of a fixture the very permissions that
// config/iam recommends, in place of the fixture's own.
func (c *Cluster) permitOperator(fixture *fixtures.Fixture, withheld []string) error {
	policy, err := c.operatorPolicy(withheld)
	if err != nil {
		return err
	}
	document, err := json.Marshal(policy)
	if err != nil {
		return fmt.Errorf("write the operator's policy: %w", err)
	}
	for a := range fixture.Accounts {
		for p := range fixture.Accounts[a].Policies {
			if held := &fixture.Accounts[a].Policies[p]; held.Name == operatorUser {
				held.Document = document
			}
		}
	}
	return nil
}

// boundOperator puts the recommended permissions boundary on the operator.
func (c *Cluster) boundOperator(fixture *fixtures.Fixture) error {
	document, err := os.ReadFile(filepath.Join(c.Checkout, "config", "iam", boundaryFile))
	if err != nil {
		return fmt.Errorf("read the operator's boundary: %w", err)
	}
	const name = "ssm-access-operator-boundary"
	for a := range fixture.Accounts {
		account := &fixture.Accounts[a]
		account.Policies = append(account.Policies, fixtures.Policy{Name: name, Document: document})
		for u := range account.Users {
			if account.Users[u].Name == operatorUser {
				account.Users[u].Boundary = name
			}
		}
		for r := range account.Roles {
			if account.Roles[r].Name == operatorUser {
				account.Roles[r].Boundary = name
			}
		}
	}
	return nil
}
