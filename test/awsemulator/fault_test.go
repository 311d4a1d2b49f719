package awsemulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
)

func (w *world) inject(f faults.Fault) string {
	w.t.Helper()
	return must(w.Inject(f))(w.t)
}

func TestFaultsSpeakTheServicesLanguage(t *testing.T) {
	w := newWorld(t)
	for kind, codes := range map[faults.Kind][4]string{
		faults.Throttle:     {"Throttling", "Throttling", "ThrottlingException", "RequestLimitExceeded"},
		faults.ServerError:  {"ServiceFailure", "InternalFailure", "InternalServerError", "InternalError"},
		faults.Unavailable:  {"ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailable"},
		faults.AccessDenied: {"AccessDenied", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			id := w.inject(faults.Fault{Kind: kind})
			defer w.RemoveFault(id)
			_, err := w.iam(admin).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{})
			wantCode(t, err, codes[0])
			_, err = w.sts(admin).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{})
			wantCode(t, err, codes[1])
			_, err = w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{})
			wantCode(t, err, codes[2])
			_, err = w.ec2(admin).DescribeInstances(ctx(t), &ec2.DescribeInstancesInput{})
			wantCode(t, err, codes[3])
		})
	}
}

func TestConnectionIsCutBeforeOrAfterTheEffect(t *testing.T) {
	for kind, effect := range map[faults.Kind]bool{faults.Drop: false, faults.DropAfter: true, faults.ErrorAfter: true, faults.ServerError: false} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			w.inject(faults.Fault{Kind: kind, Action: "iam:CreatePolicy"})
			_, err := w.iam(admin).CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(anyDocument)})
			if err == nil {
				t.Fatal("the client was told of success")
			}
			if _, exists := w.Account(account).IAM.Latest().Policy("arn:aws:iam::" + account + ":policy/P"); exists != effect {
				t.Fatalf("the policy exists: %v, want %v", exists, effect)
			}
			log := w.CallLog(0)
			last := log[len(log)-1]
			if last.Effect != effect || last.Fault == "" || last.Code == "" || last.Parameters["PolicyName"] != "P" {
				t.Fatalf("the log has %+v", last)
			}
			if _, there := last.Parameters["PolicyDocument"]; there {
				t.Fatal("the log holds the document")
			}
		})
	}
}

func TestAFaultIsInTheLogWhenItsHookIsCalled(t *testing.T) {
	w := newWorld(t)
	id := w.inject(faults.Fault{Kind: faults.ServerError, Action: "iam:CreatePolicy"})
	struck := make(chan calls.Call, 1)
	w.OnFault(func(c calls.Call) {
		select {
		case struck <- c:
		default: // The client tries again.
		}
	})
	if _, err := w.iam(admin).CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(anyDocument)}); err == nil {
		t.Fatal("the fault did not strike")
	}
	if c := <-struck; c.Operation != "CreatePolicy" || c.Fault != id || c.Done {
		t.Errorf("the hook saw %+v", c)
	}
}

func TestFaultStrikesTheNthMatchingCallOnly(t *testing.T) {
	w := newWorld(t)
	w.inject(faults.Fault{Kind: faults.Throttle, Action: "iam:Get*", WritesOnly: false, Nth: 3})
	var failed []int
	for i := range 6 {
		w.newPolicy(fmt.Sprintf("p%d", i), anyDocument) // does not match
		if _, err := w.iam(admin).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{}); err != nil {
			failed = append(failed, i+1)
		}
	}
	if fmt.Sprint(failed) != "[3]" {
		t.Fatalf("the calls that failed are %v", failed)
	}
}

func TestFaultStrikesAsOftenAsItIsTold(t *testing.T) {
	w := newWorld(t)
	w.inject(faults.Fault{Kind: faults.Throttle, Count: 2, Caller: "*user/admin"})
	failed := 0
	for range 5 {
		if _, err := w.sts(admin).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}); err != nil {
			failed++
		}
		must(w.sts(user01).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	}
	if failed != 2 {
		t.Fatalf("%d calls failed, want 2", failed)
	}
}

func TestFaultStrikesItsShare(t *testing.T) {
	w := newWorld(t)
	w.inject(faults.Fault{Kind: faults.Throttle, Share: 0.3})
	failed := 0
	c := w.sts(admin)
	for range 300 {
		if _, err := c.GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}); err != nil {
			failed++
		}
	}
	if failed < 60 || failed > 120 {
		t.Fatalf("%d of 300 calls failed, want about 90", failed)
	}
}

func TestHeldCallWaitsUntilItIsLetGo(t *testing.T) {
	w := newWorld(t)
	id := w.inject(faults.Fault{Kind: faults.HoldAfter, Action: "iam:CreatePolicy"})
	arrived := make(chan calls.Call, 1)
	w.OnCall(func(c calls.Call) {
		select {
		case arrived <- c:
		default:
		}
	})
	done := make(chan error, 1)
	go func() {
		_, err := w.iam(admin).CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(anyDocument)})
		done <- err
	}()
	if c := <-arrived; c.Operation != "CreatePolicy" || c.Parameters["PolicyName"] != "P" || c.Done {
		t.Fatalf("the hook was told %+v", c)
	}
	select {
	case err := <-done:
		t.Fatalf("the call was answered while it was held: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	w.RemoveFault(id)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLatencyComesBeforeTheEffect(t *testing.T) {
	w := newWorld(t)
	w.inject(faults.Fault{Kind: faults.Latency, Latency: faults.Duration(30 * time.Millisecond)})
	began := time.Now()
	must(w.sts(admin).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Fatalf("the call took %s", took)
	}
}

func TestFaultsThatAreNoneAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, f := range []faults.Fault{{Kind: "explode"}, {Kind: faults.Error}, {Kind: faults.Throttle, Action: "["}, {Kind: faults.Throttle, Share: 2}, {Kind: faults.Throttle, Nth: -1}} {
		if _, err := w.Inject(f); err == nil {
			t.Errorf("the fault %+v is taken", f)
		}
	}
}

func TestCallsAreCountedInTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.newPolicy("P", anyDocument)
	_, err := w.iam(user01).CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("x")})
	wantCode(t, err, "AccessDenied")
	must(w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{}))(t)
	counts := w.Calls()
	if counts.Total != 3 || counts.Writes != 2 || counts.Errors != 1 || counts.ByAction["iam:CreatePolicy"] != 1 || counts.ErrorsByCode["AccessDenied"] != 1 {
		t.Fatalf("the counts are %+v", counts)
	}
	var order []string
	for _, c := range w.CallLog(0) {
		order = append(order, fmt.Sprintf("%d %s %s %v", c.N, c.Action(), c.Caller[strings.LastIndex(c.Caller, "/")+1:], c.Effect))
	}
	if got := strings.Join(order, ", "); got != "1 iam:CreatePolicy admin true, 2 iam:CreateUser user01 false, 3 ssm:DescribeInstanceInformation admin true" {
		t.Fatalf("the log is %s", got)
	}
	w.ResetCalls()
	if w.Calls().Total != 0 || len(w.CallLog(0)) != 0 {
		t.Fatal("the reset left something")
	}
	w.newPolicy("Q", anyDocument)
	if log := w.CallLog(3); len(log) != 1 || log[0].N != 4 {
		t.Fatalf("after the reset the log is %+v", log)
	}
}
