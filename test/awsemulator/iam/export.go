package iam

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Export is a state in plain values, for those who judge it.
type Export struct {
	Users    []ExportedEntity `json:"users"`
	Groups   []ExportedEntity `json:"groups"`
	Roles    []ExportedEntity `json:"roles"`
	Policies []ExportedPolicy `json:"policies"`
}

// ExportedEntity is a user, group or role.
type ExportedEntity struct {
	Name     string            `json:"name"`
	ARN      string            `json:"arn"`
	ID       string            `json:"id"`
	Attached []string          `json:"attached"`
	Inline   map[string]string `json:"inline,omitempty"`
	Groups   []string          `json:"groups,omitempty"`
	Boundary string            `json:"permissionsBoundary,omitempty"`
	Tags     []service.Tag     `json:"tags,omitempty"`
	Trust    string            `json:"trust,omitempty"`
}

// ExportedPolicy is a customer managed policy.
type ExportedPolicy struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	ARN      string `json:"arn"`
	Default  string `json:"defaultVersion"`
	Document string `json:"document"`
	// Versions has the documents of all versions by id.
	Versions map[string]string `json:"versions"`
	Tags     []service.Tag     `json:"tags,omitempty"`
	// AttachedTo are the ARNs of the holders.
	AttachedTo []string `json:"attachedTo"`
}

// Export returns the state in plain values.
func (s *State) Export() Export {
	x := Export{
		Users: s.exportEntities(User), Groups: s.exportEntities(Group), Roles: s.exportEntities(Role), Policies: []ExportedPolicy{},
	}
	for p := range s.Policies() {
		policy := ExportedPolicy{
			Name: p.Name, Path: p.Path, ARN: p.ARN, Default: p.Default, Document: p.DefaultVersion().Text,
			Versions: map[string]string{}, Tags: p.Tags, AttachedTo: s.HoldersOf(p.ARN),
		}
		for _, v := range p.Versions {
			policy.Versions[v.ID] = v.Text
		}
		x.Policies = append(x.Policies, policy)
	}
	return x
}

// HoldersOf returns the ARNs of the users, groups and roles that a policy is
// attached to.
func (s *State) HoldersOf(policyARN string) []string {
	holders := []string{}
	for _, e := range s.holdersAfter(s.attachments, policyARN+"\x00", "") {
		holders = append(holders, e.ARN)
	}
	return holders
}

func (s *State) exportEntities(kind Kind) []ExportedEntity {
	list := []ExportedEntity{}
	for e := range s.Entities(kind) {
		exported := ExportedEntity{
			Name: e.Name, ARN: e.ARN, ID: e.ID, Attached: append([]string{}, e.Attached...), Groups: slices.Clone(e.Groups),
			Boundary: e.Boundary, Tags: e.Tags, Trust: e.Trust.Text,
		}
		for _, i := range e.Inline {
			if exported.Inline == nil {
				exported.Inline = map[string]string{}
			}
			exported.Inline[i.Name] = i.Text
		}
		list = append(list, exported)
	}
	return list
}
