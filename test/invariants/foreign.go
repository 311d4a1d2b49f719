package invariants

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// ours is a part of the ARN of every policy of the operator, and of no other
// policy's.
func (o *Observer) ours() string { return ":policy/ssm-access/" + o.owner + "/" }

// foreignTo is everything in IAM that is not the operator's, as text.
func (o *Observer) foreignTo(state *iam.State) string {
	x := state.Export()
	x.Policies = slices.DeleteFunc(x.Policies, func(p iam.ExportedPolicy) bool { return strings.Contains(p.ARN, o.ours()) })
	for _, entities := range [][]iam.ExportedEntity{x.Users, x.Groups, x.Roles} {
		for i := range entities {
			entities[i].Attached = slices.DeleteFunc(entities[i].Attached, func(arn string) bool { return strings.Contains(arn, o.ours()) })
		}
	}
	text, err := json.Marshal(x)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// residue names the operator's policies that are left when nothing is declared,
// and those that are not attached to exactly one principal. A policy of a
// permission set may have any number of attachments. The lock is held.
func (o *Observer) residue(state *iam.State) []string {
	var left []string
	for _, p := range state.Export().Policies {
		if !strings.Contains(p.ARN, o.ours()) {
			continue
		}
		switch {
		case len(o.present()) == 0:
			left = append(left, fmt.Sprintf("policy %s is left, and nothing is declared", p.Name))
		case len(p.AttachedTo) != 1 && !strings.Contains(p.Name, "-p-"):
			left = append(left, fmt.Sprintf("policy %s is attached to %d principals: %v", p.Name, len(p.AttachedTo), p.AttachedTo))
		}
	}
	return left
}
