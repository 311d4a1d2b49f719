package invariants

import (
	"encoding/json"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// The parts of the small world that questions are about.
const (
	// Namespace and Neighbour may use the account, OtherNamespace is not
	// allowed to.
	Namespace      = "proof-a"
	Neighbour      = "proof-c"
	OtherNamespace = "proof-b"
	// AccountName is the AWSAccount's name.
	AccountName = "main"
	// LongGroup begins the names of two groups, which are alike for longer than the
	// name of a policy shows.
	LongGroup = "a-group-whose-name-goes-on-for-longer-than-eighty-characters-so-that-it-is-cut-off-somewhere-"
	// Inside is an address from which questions are asked, and Outside another.
	Inside  = "203.0.113.7"
	Outside = "198.51.100.7"

	// region has all nodes.
	region = "ap-northeast-1"
	// nodeRole is what nodes that register are given.
	nodeRole = "SSMServiceRole"
)

// Person is a user who may open sessions.
type Person struct {
	ARN string
	// As are the principals through which access reaches them.
	As []v1alpha1.Principal
}

// Node is a machine.
type Node struct {
	ID   string
	Tags map[string]string
	// Of is the activation that it registered with.
	Of string
}

// Domain is what questions are about: all people with all nodes and
// documents.
type Domain struct {
	AccountID, Region string
	People            []Person
	Nodes             []Node
	Documents         []string
}

// Small is a domain of four people, three nodes and three documents, and the
// fixture that holds it.
func Small() (Domain, *fixtures.Fixture) {
	f := fixtures.S1()
	a := &f.Accounts[0]
	u := Domain{AccountID: a.ID, Region: region, Documents: []string{v1alpha1.DefaultDocument, "Shell", "AWS-StartPortForwardingSession"}}
	r := a.Regions[region]
	tags := []map[string]string{{"Env": "stg", "Role": "web"}, {"Env": "prod", "Role": "web"}}
	for i := range r.Instances {
		r.Instances[i].Tags = tags[i%len(tags)]
		u.Nodes = append(u.Nodes, Node{ID: r.Instances[i].ID, Tags: r.Instances[i].Tags})
	}
	node := fixtures.ManagedNode{ID: "mi-0123456789abcdef0", Name: "factory", Tags: map[string]string{"Env": "stg"}, Role: nodeRole}
	r.ManagedNodes = append(r.ManagedNodes, node)
	u.Nodes = append(u.Nodes, Node{ID: node.ID, Tags: node.Tags})
	a.Regions[region] = r
	groups := map[string]string{"user01": LongGroup + "1", "user02": "operators", "user03": LongGroup + "2"}
	a.Users = append(a.Users, fixtures.User{Name: "user03"})
	for i := range a.Users {
		if group := groups[a.Users[i].Name]; group != "" {
			a.Groups = append(a.Groups, fixtures.Group{Name: group})
			a.Users[i].Groups = append(a.Users[i].Groups, group)
		}
	}
	a.Roles = append(a.Roles, fixtures.Role{Name: "deploy", Trust: json.RawMessage(trustOf(a.ID))})
	arn := func(rest string) string { return "arn:aws:iam::" + a.ID + ":" + rest }
	for _, name := range []string{"user01", "user02", "user03"} {
		u.People = append(u.People, Person{arn("user/" + name), []v1alpha1.Principal{
			{Kind: v1alpha1.PrincipalUser, Name: name}, {Kind: v1alpha1.PrincipalGroup, Name: groups[name]},
		}})
	}
	u.People = append(u.People, Person{arn("role/deploy"), []v1alpha1.Principal{{Kind: v1alpha1.PrincipalRole, Name: "deploy"}}})
	return u, f
}

func trustOf(account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`
}
