package awsemulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emulatediam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// crowd fills an account with users that have a policy each.
func crowd(b *testing.B, a *emulatediam.Account, users int) {
	b.Helper()
	document := strings.Replace(anyDocument, `"*"`, `["`+strings.Repeat(`arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39","`, 10)+`*"]`, 1)
	a.SetQuota("PoliciesQuota", int32(users+10))
	for i := range users {
		name := fmt.Sprintf("u%05d", i)
		if _, err := a.AddPolicy(fixtures.Policy{Name: "p-" + name, Path: "/ssm-access/x/", Document: []byte(document)}); err != nil {
			b.Fatal(err)
		}
		if err := a.AddUser(fixtures.User{Name: name, Grants: fixtures.Grants{Attached: []string{"p-" + name}}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBulkRead reads an account of 10,000 users with a policy each, in
// full pages.
func BenchmarkBulkRead(b *testing.B) {
	server, err := awsemulator.New(awsemulator.Options{Fixture: fixtures.S1(), EvaluateIAM: true})
	if err != nil {
		b.Fatal(err)
	}
	crowd(b, server.Account(account).IAM, 10000)
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := running.Stop(); err != nil {
			b.Error(err)
		}
	}()
	w := &world{Server: server, url: running.URL}
	c := w.iam(admin)
	b.ReportAllocs()
	for b.Loop() {
		pages := iam.NewGetAccountAuthorizationDetailsPaginator(c, &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1000)})
		n := 0
		for pages.HasMorePages() {
			if _, err := pages.NextPage(b.Context()); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(float64(n), "pages/op")
	}
}

// BenchmarkCreatePolicy creates policies in an account that has 10,000 others.
func BenchmarkCreatePolicy(b *testing.B) {
	server, err := awsemulator.New(awsemulator.Options{Fixture: fixtures.S1(), EvaluateIAM: true})
	if err != nil {
		b.Fatal(err)
	}
	a := server.Account(account).IAM
	crowd(b, a, 10000)
	a.SetQuota("PoliciesQuota", 1<<30)
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := running.Stop(); err != nil {
			b.Error(err)
		}
	}()
	c := (&world{Server: server, url: running.URL}).iam(admin)
	i := 0
	for b.Loop() {
		i++
		_, err := c.CreatePolicy(b.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("n%d", i)), PolicyDocument: aws.String(anyDocument)})
		if err != nil {
			b.Fatal(err)
		}
	}
}
