package awsemulator_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

func TestReadsLagWrites(t *testing.T) {
	w := newWorld(t)
	w.SetConsistencyDelay(30 * time.Second)
	c := w.iam(admin)
	arn := w.newPolicy("P", anyDocument)
	get := func() string {
		_, err := c.GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: &arn})
		return codeOf(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "NoSuchEntity"}, {29 * time.Second, "NoSuchEntity"}, {time.Second, ""}} {
		w.Advance(step.after)
		if got := get(); got != step.want {
			t.Fatalf("%s after the creation it is %q, want %q", step.after, got, step.want)
		}
	}
	must(c.DeletePolicy(ctx(t), &iam.DeletePolicyInput{PolicyArn: &arn}))(t)
	if got := get(); got != "" {
		t.Fatalf("right after the deletion it is %q, want it to be seen still", got)
	}
	w.Advance(30 * time.Second)
	if got := get(); got != "NoSuchEntity" {
		t.Fatalf("the deletion is not seen after the delay: %q", got)
	}
}

func TestWritesSeeOneAnotherAtOnce(t *testing.T) {
	w := newWorld(t)
	w.SetConsistencyDelay(30 * time.Second)
	w.newPolicy("P", anyDocument)
	_, err := w.iam(admin).CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "EntityAlreadyExists")
}

func TestEvaluationLagsWrites(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Evaluation: 10 * time.Second})
	arn := w.newPolicy("P", anyDocument)
	must(w.iam(admin).AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: &arn}))(t)
	describe := func() error {
		_, err := w.ec2(user01).DescribeInstances(ctx(t), &ec2.DescribeInstancesInput{})
		return err
	}
	wantCode(t, describe(), "UnauthorizedOperation")
	w.Advance(10 * time.Second)
	wantCode(t, describe(), "")
}

func TestSpreadReadsMayGoBackInTime(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Reads: 30 * time.Second, Spread: true})
	arn := w.newPolicy("P", anyDocument)
	w.Advance(15 * time.Second)
	seen := map[string]bool{}
	for range 50 {
		_, err := w.iam(admin).GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: &arn})
		seen[codeOf(err)] = true
	}
	if !seen[""] || !seen["NoSuchEntity"] {
		t.Fatalf("fifty reads half-way agree: %v", seen)
	}
	w.Advance(15 * time.Second)
	for range 50 {
		must(w.iam(admin).GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: &arn}))(t)
	}
}

func TestListOfSessionsLags(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Sessions: 30 * time.Second})
	must(w.ssm(admin).StartSession(ctx(t), &ssm.StartSessionInput{Target: aws.String(pc01)}))(t)
	active := func() int {
		out := must(w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive}))(t)
		return len(out.Sessions)
	}
	if n := active(); n != 0 {
		t.Fatalf("%d sessions are seen inside the lag", n)
	}
	w.Advance(30 * time.Second)
	if n := active(); n != 1 {
		t.Fatalf("%d sessions are seen after the lag, want 1", n)
	}
}
