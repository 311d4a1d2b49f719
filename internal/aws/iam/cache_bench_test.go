package iam

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const (
	benchUsers    = 1000
	benchPolicies = 2000
	benchARNs     = "arn:aws:iam::" + testAccount + ":policy"
)

func benchDocument(i int) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":["%s%d"]}]}`,
		strings.Repeat("arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39\",\"", 20)+"arn:aws:ec2:ap-northeast-1:488821267897:instance/i-", i)
}

func benchName(i int) string { return fmt.Sprintf("ssma-%s-u-user%05d-000000000000-1", testOwner, i) }

// benchPage is a page as the SDK hands it over, every string a copy of its own.
func benchPage(users, policies int) *iam.GetAccountAuthorizationDetailsOutput {
	text := func(s string) *string { return aws.String(strings.Clone(s)) }
	page := &iam.GetAccountAuthorizationDetailsOutput{}
	for i := range users {
		user := types.UserDetail{UserName: text(fmt.Sprintf("user%05d", i)), Path: text("/"), GroupList: []string{*text("everybody")}}
		for j := i; j < policies; j += users {
			arn := benchARNs + "/ssm-access/" + testOwner + "/" + benchName(j)
			user.AttachedManagedPolicies = append(user.AttachedManagedPolicies, types.AttachedPolicy{PolicyArn: text(arn), PolicyName: text(benchName(j))})
		}
		page.UserDetailList = append(page.UserDetailList, user)
	}
	for i := range policies {
		page.Policies = append(page.Policies, types.ManagedPolicyDetail{
			Arn: text(benchARNs + "/ssm-access/" + testOwner + "/" + benchName(i)), DefaultVersionId: text("v2"),
			PolicyVersionList: []types.PolicyVersion{
				{VersionId: text("v2"), IsDefaultVersion: true, Document: text(url.PathEscape(benchDocument(i)))},
				{VersionId: text("v1"), Document: text(url.PathEscape(benchDocument(i)))},
			},
		})
	}
	return page
}

func benchCache() *Cache {
	m := newCache(Ownership{OwnerID: testOwner}, clock.RealClock{}, nil)
	m.setARNs(awsclient.Identity{Partition: "aws", AccountID: testAccount, ARN: "x"})
	return m
}

func (c *Cache) takePage(tb testing.TB, page *iam.GetAccountAuthorizationDetailsOutput) {
	tb.Helper()
	inv := newInventory(c.ownership, c.policyARNPrefix(), c.now())
	inv.add(page)
	if _, err := c.merge(inv); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkMerge is what a Refresh of 1,000 users and 2,000 policies costs
// beyond the SDK.
func BenchmarkMerge(b *testing.B) {
	m, page := benchCache(), benchPage(benchUsers, benchPolicies)
	m.takePage(b, page)
	b.ReportAllocs()
	for b.Loop() {
		m.takePage(b, page)
	}
}

// BenchmarkRefresh is a Refresh of 1,000 users and 2,000 policies over HTTP,
// the emulator's part included.
func BenchmarkRefresh(b *testing.B) {
	fixture := emulated.Fixture()
	for i := range benchPolicies {
		fixture.Accounts[0].Policies = append(fixture.Accounts[0].Policies, fixtures.Policy{
			Name: benchName(i), Path: "/ssm-access/" + testOwner + "/", Document: []byte(benchDocument(i)),
		})
	}
	for i := range benchUsers {
		fixture.Accounts[0].Users = append(fixture.Accounts[0].Users, fixtures.User{
			Name: fmt.Sprintf("user%05d", i), Grants: fixtures.Grants{Attached: []string{benchName(i), benchName(i + benchUsers)}},
		})
	}
	w := newWorldOf(b, fixture)
	w.refresh()
	b.ReportAllocs()
	for b.Loop() {
		w.refresh()
	}
}

// BenchmarkHeld reports the memory that a filled cache holds, per policy of
// 10,000, each attached to one user: with and without the document itself. Its
// allocations include those of the page, which each iteration makes again.
func BenchmarkHeld(b *testing.B) {
	const policies = 10000
	b.ReportAllocs()
	for b.Loop() {
		m := benchCache()
		page := benchPage(policies, policies)
		before := heapInUse()
		m.takePage(b, page)
		held := float64(heapInUse()-before) / policies
		runtime.KeepAlive(page)
		runtime.KeepAlive(m)
		b.ReportMetric(held, "B/policy")
		b.ReportMetric(held-float64(len(benchDocument(0))), "B/policy-without-document")
	}
}

// BenchmarkPoliciesWithPrefix is what a reconcile of one principal asks.
func BenchmarkPoliciesWithPrefix(b *testing.B) {
	m := benchCache()
	m.takePage(b, benchPage(10000, 10000))
	prefix := strings.TrimSuffix(benchName(5000), "1")
	b.ReportAllocs()
	for b.Loop() {
		if views, _ := m.PoliciesWithPrefix(prefix); len(views) != 1 {
			b.Fatalf("%d policies", len(views))
		}
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
