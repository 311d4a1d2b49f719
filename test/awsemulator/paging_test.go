package awsemulator_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func TestPagesTogetherAreTheWholeList(t *testing.T) {
	w := newWorld(t)
	account := w.Account(account).IAM
	want := map[string]bool{}
	for i := range 40 {
		name := fmt.Sprintf("u%02d", i)
		if err := account.AddUser(fixtures.User{Name: name}); err != nil {
			t.Fatal(err)
		}
		arn := must(account.AddPolicy(fixtures.Policy{Name: "p" + name, Document: []byte(anyDocument)}))(t)
		want[arn] = true
	}
	for e := range maps.Keys(allEntities(w)) {
		want[e] = true
	}
	want["arn:aws:iam::"+account.ID+":policy/ssm-access-operator"] = true
	filter := []types.EntityType{types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy}
	rapid.Check(t, func(rt *rapid.T) {
		w.SetShortPages(rapid.SampledFrom([]float64{0, 0.5, 0.9}).Draw(rt, "short"))
		size := rapid.Int32Range(1, 100).Draw(rt, "MaxItems")
		seen := map[string]int{}
		pages := iam.NewGetAccountAuthorizationDetailsPaginator(w.iam(admin), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(size), Filter: filter})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			if n := countPage(page, seen); n > int(size) {
				rt.Fatalf("a page has %d entries, %d were asked for", n, size)
			}
		}
		for arn, n := range seen {
			if n != 1 {
				rt.Fatalf("%s is shown %d times", arn, n)
			}
		}
		if got, all := slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, all) {
			rt.Fatalf("the pages together are\n%v, want\n%v", got, all)
		}
	})
}

func allEntities(w *world) map[string]bool {
	all := map[string]bool{}
	x := w.Account(account).IAM.Latest().Export()
	for _, list := range [][]string{arns(x.Users), arns(x.Groups), arns(x.Roles)} {
		for _, arn := range list {
			all[arn] = true
		}
	}
	return all
}

func countPage(page *iam.GetAccountAuthorizationDetailsOutput, seen map[string]int) int {
	for _, u := range page.UserDetailList {
		seen[*u.Arn]++
	}
	for _, g := range page.GroupDetailList {
		seen[*g.Arn]++
	}
	for _, r := range page.RoleDetailList {
		seen[*r.Arn]++
	}
	for _, p := range page.Policies {
		seen[*p.Arn]++
	}
	return len(page.UserDetailList) + len(page.GroupDetailList) + len(page.RoleDetailList) + len(page.Policies)
}

func TestPagesSurviveChangesBetweenThem(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	for i := range 10 {
		w.newPolicy(fmt.Sprintf("p%d", i), anyDocument)
	}
	in := &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, MaxItems: aws.Int32(4)}
	first := must(c.ListPolicies(ctx(t), in))(t)
	// The last one shown is deleted; none of the others may be skipped.
	last := *first.Policies[3].Arn
	must(c.DeletePolicy(ctx(t), &iam.DeletePolicyInput{PolicyArn: aws.String(last)}))(t)
	in.Marker = first.Marker
	second := must(c.ListPolicies(ctx(t), in))(t)
	if got := *second.Policies[0].PolicyName; got != "p4" {
		t.Fatalf("the second page begins with %s, want p4", got)
	}
}
