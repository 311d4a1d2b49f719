package sessionaccess_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

func TestTheAPIServerRejectsBadAccessWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	at := func(text string) *metav1.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		w.Must(err)
		return &metav1.Time{Time: parsed}
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.SessionAccessSpec)
		says   string
	}{
		"no principal": {func(s *v1alpha1.SessionAccessSpec) { s.Principals = nil }, "principals names nobody"},
		"no target":    {func(s *v1alpha1.SessionAccessSpec) { s.Targets = nil }, "targets"},
		"a wildcard id": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0].InstanceIDs = []v1alpha1.InstanceID{"i-*"}
		}, "without wildcards"},
		"a task of ECS": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0].InstanceIDs = []v1alpha1.InstanceID{"ecs:prod_0123456789abcdef0123456789abcdef_0123456789abcdef0123456789abcdef-1234567890"}
		}, "tasks of ECS are not supported"},
		"the ARN of an instance": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0].InstanceIDs = []v1alpha1.InstanceID{"arn:aws-us-gov:ec2:us-gov-west-1:488821267897:instance/i-051cac51072605f39"}
		}, "by its id, not by an ARN"},
		"an id that is too long": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0].InstanceIDs = []v1alpha1.InstanceID{"i-051cac51072605f39051cac51072605f39"}
		}, "i- or mi- and 17 hex digits"},
		"the ARN of a permission set's role": {func(s *v1alpha1.SessionAccessSpec) {
			s.Principals[0] = v1alpha1.Principal{Kind: v1alpha1.PrincipalPermissionSet, Name: "arn:aws:iam::488821267897:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef"}
		}, "not an ARN"},
		"an ARN as a user's name": {func(s *v1alpha1.SessionAccessSpec) {
			s.Principals[0].Name = "arn:aws:iam::488821267897:user/user01"
		}, "not an ARN"},
		"a role of Identity Center": {func(s *v1alpha1.SessionAccessSpec) {
			s.Principals[0] = v1alpha1.Principal{Kind: v1alpha1.PrincipalRole, Name: "AWSReservedSSO_Admins_0123456789abcdef"}
		}, "use kind PermissionSet"},
		"one principal twice": {func(s *v1alpha1.SessionAccessSpec) {
			s.Principals = append(s.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "USER01"})
		}, "case"},
		"a region out of form": {func(s *v1alpha1.SessionAccessSpec) { s.Regions = []v1alpha1.Region{"tokyo"} }, "as AWS spells it"},
		"an end before the beginning": {func(s *v1alpha1.SessionAccessSpec) {
			s.NotBefore, s.NotAfter = at("2027-01-02T00:00:00Z"), at("2027-01-01T00:00:00Z")
		}, "notAfter must be later than notBefore"},
		"two sorts in one target": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0].Tags = map[string]string{"Env": "stg"}
		}, "exactly one of instanceIDs, tags and activationRef"},
		"an empty target": {func(s *v1alpha1.SessionAccessSpec) { s.Targets[0] = v1alpha1.Target{} }, "exactly one of"},
		"tag keys that differ in case": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0] = v1alpha1.Target{Tags: map[string]string{"Env": "a", "env": "b"}}
		}, "differ only in case"},
		"a wildcard in a tag key": {func(s *v1alpha1.SessionAccessSpec) {
			s.Targets[0] = v1alpha1.Target{Tags: map[string]string{"En*v": "a"}}
		}, "name each key in full"},
		"an ARN with a wildcard": {func(s *v1alpha1.SessionAccessSpec) {
			s.Documents = []v1alpha1.DocumentReference{{Name: "arn:aws:ssm:ap-northeast-1:111122223333:document/*"}}
		}, "without wildcards"},
		"an ARN of AWS's": {func(s *v1alpha1.SessionAccessSpec) {
			s.Documents = []v1alpha1.DocumentReference{{Name: "arn:aws:ssm:ap-northeast-1::document/AWS-StartSSHSession"}}
		}, "where another account shares it"},
		"a range of addresses with a host's bits": {func(s *v1alpha1.SessionAccessSpec) { s.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.7/24"} }, "203.0.113.0/24"},
		"a range of addresses out of form":        {func(s *v1alpha1.SessionAccessSpec) { s.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.0"} }, "address/bits"},
		"more principals than fit": {func(s *v1alpha1.SessionAccessSpec) {
			for i := range 100 {
				s.Principals = append(s.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: fmt.Sprint("u", i)})
			}
		}, "at most 100"},
		"more instances than fit": {func(s *v1alpha1.SessionAccessSpec) { s.Targets[0].InstanceIDs = scenario.ManyIDs(301) }, "at most 300"},
		"more targets than fit": {func(s *v1alpha1.SessionAccessSpec) {
			for range 20 {
				s.Targets = append(s.Targets, s.Targets[0])
			}
		}, "at most 20"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := scenario.Access("bad", "user01", scenario.PC01)
			c.change(&bad.Spec)
			err := w.Client.Create(t.Context(), bad)
			if err == nil {
				t.Fatal("the API server accepts it")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the answer is %q, which does not say %q", err, c.says)
			}
		})
	}
}

func TestTheAPIServerRejectsBadAccountsWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	for name, c := range map[string]struct {
		change func(*v1alpha1.AWSAccountSpec)
		says   string
	}{
		"11 digits":            {func(s *v1alpha1.AWSAccountSpec) { s.AccountID = "48882126789" }, "12 digits"},
		"a region out of form": {func(s *v1alpha1.AWSAccountSpec) { s.Regions = []v1alpha1.Region{"*"} }, "as AWS spells it"},
		"no selector":          {func(s *v1alpha1.AWSAccountSpec) { s.AllowedNamespaces.Selector = nil }, "selector"},
		"a role of another account": {func(s *v1alpha1.AWSAccountSpec) {
			s.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::111111111111:role/x"}
		}, "account"},
		"a role that is none": {func(s *v1alpha1.AWSAccountSpec) {
			s.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::488821267897:user/x"}
		}, "the ARN of an IAM role"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := scenario.Account(func(a *v1alpha1.AWSAccount) { c.change(&a.Spec) })
			if err := w.Client.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the answer is %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestWhatGrantsAreTiedToCannotChange(t *testing.T) {
	w := worldWithoutManager(t)
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	before := main.DeepCopy()
	main.Spec.AccountID = "111111111111"
	if err := w.Client.Patch(t.Context(), main, client.MergeFrom(before)); err == nil || !strings.Contains(err.Error(), "accountID cannot be changed") {
		t.Errorf("the answer is %v", err)
	}
	old := grant.DeepCopy()
	grant.Spec.AccountRef.Name = "other"
	if err := w.Client.Patch(t.Context(), grant, client.MergeFrom(old)); err == nil || !strings.Contains(err.Error(), "accountRef cannot be changed") {
		t.Errorf("the answer is %v", err)
	}
}
