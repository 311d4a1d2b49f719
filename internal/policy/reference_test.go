package policy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// serviceReference is what AWS's service authorization reference says of the actions that
// the project uses, as of the date in its version.
type serviceReference struct {
	Source, Version string
	Actions         map[string]struct{ Types, Keys []string }
	ResourceTypes   map[string]struct {
		ARN  string
		Keys []string
	}
}

// exceptions are the actions that take resources although the reference names no type.
var exceptions = map[string]string{
	// AWS's own sample and managed policies give one, such as AmazonEKSLocalOutpostServiceRolePolicy.
	"ssmmessages:OpenDataChannel": "session",
}

// perAction are the keys with the prefix of global ones that only some actions have.
var perAction = regexp.MustCompile(`(?i)^aws:(RequestTag/.*|ResourceTag/.*|TagKeys)$`)

type referenceStatement struct {
	Sid, Effect string
	Action      oneOrMore
	NotAction   oneOrMore
	Resource    oneOrMore
	Condition   map[string]map[string]any
}

type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

func TestEveryStatementIsAsTheServiceReferenceHasIt(t *testing.T) {
	text, err := os.ReadFile("testdata/service-reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference serviceReference
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	documents := map[string]string{}
	files, err := filepath.Glob("../../config/iam/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents[file] = string(text)
	}
	for _, kind := range []policy.Kind{policy.User, policy.Group, policy.Role, policy.PermissionSet} {
		documents["rendered for a "+string(kind)] = one(t, policy.Principal{Kind: kind, Name: "ops"}, everything())
	}
	for name, document := range documents {
		var parsed struct{ Statement []referenceStatement }
		if err := json.Unmarshal([]byte(document), &parsed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range parsed.Statement {
			for _, problem := range reference.check(&s) {
				t.Errorf("%s, statement %s: %s", name, s.Sid, problem)
			}
		}
	}
}

// everything is a grant that has every part of a policy.
func everything() policy.Grant {
	return policy.Grant{
		ID: "a", Regions: []string{"ap-northeast-1", "us-east-1"},
		Targets: []policy.Target{
			{InstanceIDs: []string{"i-051cac51072605f39", "mi-051cac51072605f39"}}, {Tags: map[string]string{"Env": "stg"}},
		},
		Excluded:  []policy.ExcludedTag{{Key: "Tier", Values: []string{"prod"}}},
		Documents: []policy.Document{{Name: "AWS-StartSSHSession"}, {Name: "Shell", KMSKeyARN: "arn:aws:kms:us-east-1:111122223333:key/3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"}},
		Clients:   []policy.Client{policy.SessionManagerConsole, policy.EC2Console, policy.CLI},
		NotBefore: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC),
		RequireMFA: true, SourceCIDRs: []string{"203.0.113.0/24"},
	}
}

// check returns what a statement asks for that AWS does not have.
func (r *serviceReference) check(s *referenceStatement) []string {
	var problems []string
	fits := map[string]bool{}
	for _, action := range s.Action {
		matching := r.matching(action)
		if len(matching) == 0 {
			problems = append(problems, "there is no action "+action)
			continue
		}
		if strings.Contains(action, "*") {
			for _, resource := range s.Resource {
				fits[resource] = true
			}
			continue
		}
		if len(s.Resource) > 0 && !r.takesOne(action, s.Resource, fits) { // A trust policy has none.
			problems = append(problems, action+" takes none of the resources "+strings.Join(s.Resource, ", "))
		}
		for _, keys := range s.Condition {
			for key := range keys {
				if !r.hasKey(action, key) {
					problems = append(problems, action+" has no condition key "+key)
				}
			}
		}
	}
	for _, resource := range s.Resource {
		if resource != "*" && len(s.Action) > 0 && !fits[resource] {
			problems = append(problems, "no action takes the resource "+resource)
		}
	}
	return problems
}

func (r *serviceReference) matching(action string) []string {
	pattern := regexp.MustCompile("(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(action), `\*`, ".*") + "$")
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.Actions)), func(known string) bool { return !pattern.MatchString(known) })
}

// takesOne reports whether an action can be allowed on one of the resources, and marks
// those in fits.
func (r *serviceReference) takesOne(action string, resources []string, fits map[string]bool) bool {
	takes := slices.Contains(resources, "*")
	service, _, _ := strings.Cut(action, ":")
	types := r.Actions[action].Types
	if kind, is := exceptions[action]; is {
		service, types = "ssm", []string{kind}
	}
	for _, resource := range resources {
		for _, kind := range types {
			if ofType(resource, r.ResourceTypes[service+":"+kind].ARN) {
				fits[resource], takes = true, true
			}
		}
	}
	return takes
}

// ofType reports whether an ARN has the service and the beginning of the resource that a
// type has.
func ofType(resource, form string) bool {
	is, want := strings.SplitN(resource, ":", 6), strings.SplitN(form, ":", 6)
	if len(is) != 6 || len(want) != 6 || is[2] != want[2] {
		return false
	}
	begin, _, _ := strings.Cut(want[5], "${")
	fixed, _, _ := strings.Cut(is[5], "*")
	return strings.HasPrefix(fixed, begin) || strings.HasPrefix(begin, fixed) && fixed != is[5]
}

// hasKey reports whether a condition on a key can hold for an action.
func (r *serviceReference) hasKey(action, key string) bool {
	if strings.HasPrefix(strings.ToLower(key), "aws:") && !perAction.MatchString(key) {
		return true
	}
	return slices.ContainsFunc(r.Actions[action].Keys, func(known string) bool {
		name, _, templated := strings.Cut(known, "${")
		return strings.EqualFold(known, key) || templated && len(key) > len(name) && strings.EqualFold(key[:len(name)], name)
	})
}
