package awsemulator_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

// TestManyCallersAtOnceLeaveAWholeState has value under the race detector.
func TestManyCallersAtOnceLeaveAWholeState(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Reads: 5 * time.Second, Evaluation: time.Second, Sessions: time.Second, Spread: true})
	w.SetShortPages(0.3)
	changes := 0
	w.Observe(func(c awsemulator.Change) {
		if c.IAM == nil {
			return
		}
		changes++
		if _, err := w.MayIn(c.IAM, awsemulator.Question{Principal: "arn:aws:iam::" + account + ":user/user01", Region: region, Target: pc01}); err != nil {
			t.Error(err)
		}
	})
	var group sync.WaitGroup
	const workers, each = 6, 5
	for n := range workers {
		c, s := w.iam(admin), w.ssm(admin)
		group.Go(func() {
			for i := range each {
				out, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("p-%d-%d", n, i)), PolicyDocument: aws.String(anyDocument)})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("node"), PolicyArn: out.Policy.Arn}); err != nil && codeOf(err) != "LimitExceeded" {
					t.Error(err)
				}
				if _, err := s.StartSession(t.Context(), &ssm.StartSessionInput{Target: aws.String(pc01)}); err != nil {
					t.Error(err)
				}
				if _, err := c.GetAccountAuthorizationDetails(t.Context(), &iam.GetAccountAuthorizationDetailsInput{}); err != nil {
					t.Error(err)
				}
				w.Advance(time.Second)
				w.CallLog(0)
			}
		})
	}
	group.Wait()
	w.SetConsistency(awsemulator.Consistency{})
	w.SetShortPages(0)
	held := must(w.iam(admin).ListAttachedRolePolicies(ctx(t), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("node")}))(t)
	if n := len(held.AttachedPolicies); n != 10 {
		t.Fatalf("the role holds %d policies, want its quota of 10", n)
	}
	policies := 0
	for range w.Account(account).IAM.Latest().Policies() {
		policies++
	}
	if policies != workers*each+1 {
		t.Fatalf("the account holds %d policies", policies)
	}
	if want := workers*each + 9; changes != want {
		t.Fatalf("the observer saw %d changes, want %d", changes, want)
	}
	out := must(w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive}))(t)
	if len(out.Sessions) != workers*each {
		t.Fatalf("%d sessions are active", len(out.Sessions))
	}
}
