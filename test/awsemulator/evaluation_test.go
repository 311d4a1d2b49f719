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
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	emulatediam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// accessTo is the policy of a user who may open sessions on one instance.
func accessTo(instance string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
 {"Sid":"Discover","Effect":"Allow","Action":["ec2:DescribeInstances","ssm:DescribeInstanceProperties","ssm:DescribeSessions","ssm:GetConnectionStatus"],"Resource":"*"},
 {"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:%[1]s:%[2]s:instance/%[3]s","arn:aws:ssm:%[1]s:%[2]s:document/SSM-SessionManagerRunShell"],"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}},
 {"Sid":"OwnSessions","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":"arn:aws:ssm:*:%[2]s:session/${aws:username}-*"},
 {"Sid":"DataChannel","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":["arn:aws:ssm:*:%[2]s:session/${aws:username}-*","arn:aws:ssm:*:%[2]s:session/${aws:userid}-*"]}]}`, region, account, instance)
}

// grant gives a user a policy of their own.
func (w *world) grant(user, document string) {
	w.t.Helper()
	arn := w.newPolicy("ssma-"+user, document)
	must(w.iam(admin).AttachUserPolicy(ctx(w.t), &iam.AttachUserPolicyInput{UserName: aws.String(user), PolicyArn: aws.String(arn)}))(w.t)
}

func (w *world) open(c aws.Credentials, target string, document ...string) (string, error) {
	in := &ssm.StartSessionInput{Target: aws.String(target)}
	if len(document) > 0 {
		in.DocumentName = aws.String(document[0])
	}
	out, err := w.ssm(c).StartSession(ctx(w.t), in)
	if err != nil {
		return "", err
	}
	return *out.SessionId, nil
}

func TestTwoUsersReachTheirOwnInstanceOnly(t *testing.T) {
	w := newWorld(t)
	w.grant("user01", accessTo(pc01))
	w.grant("user02", accessTo(pc02))
	for _, cell := range []struct {
		name   string
		user   aws.Credentials
		target string
		code   string
	}{
		{"user01", user01, pc01, ""},
		{"user01", user01, pc02, "AccessDeniedException"},
		{"user02", user02, pc01, "AccessDeniedException"},
		{"user02", user02, pc02, ""},
	} {
		t.Run(cell.name+" on "+cell.target, func(t *testing.T) {
			id, err := w.open(cell.user, cell.target)
			wantCode(t, err, cell.code)
			if err == nil && !strings.HasPrefix(id, cell.name+"-") {
				t.Fatalf("the session id is %s", id)
			}
			answer := must(w.May(awsemulator.Question{
				Principal: "arn:aws:iam::" + account + ":user/" + cell.name, Region: region, Target: cell.target,
			}))(t)
			if answer.Allowed != (cell.code == "") {
				t.Fatalf("asked without doing it, the answer is %+v", answer)
			}
		})
	}
	// Both may list instances.
	for _, user := range []aws.Credentials{user01, user02} {
		must(w.ec2(user).DescribeInstances(ctx(t), &ec2.DescribeInstancesInput{}))(t)
	}
	// Each ends sessions of their own only.
	id := must(w.open(user01, pc01))(t)
	_, err := w.ssm(user02).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)})
	wantCode(t, err, "AccessDeniedException")
	_, err = w.ssm(user02).ResumeSession(ctx(t), &ssm.ResumeSessionInput{SessionId: aws.String(id)})
	wantCode(t, err, "AccessDeniedException")
	must(w.ssm(user01).ResumeSession(ctx(t), &ssm.ResumeSessionInput{SessionId: aws.String(id)}))(t)
	must(w.ssm(user01).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)}))(t)
	// The access ends with the policy; the other user notices nothing.
	if err := w.Account(account).IAM.RemovePolicy("ssma-user01"); err != nil {
		t.Fatal(err)
	}
	_, err = w.open(user01, pc01)
	wantCode(t, err, "AccessDeniedException")
	_, err = w.open(user02, pc02)
	wantCode(t, err, "")
}

func TestDocumentIsJudgedByItself(t *testing.T) {
	const other = "AWS-StartPortForwardingSession"
	on := func(resources ...string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":[%s]}]}`, `"`+strings.Join(resources, `","`)+`"`)
	}
	checked := func(resources ...string) string {
		return strings.Replace(on(resources...), `"Resource"`, `"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}},"Resource"`, 1)
	}
	node := "arn:aws:ec2:" + region + ":" + account + ":instance/" + pc01
	shell := "arn:aws:ssm:" + region + ":" + account + ":document/SSM-SessionManagerRunShell"
	forwarding := "arn:aws:ssm:" + region + "::document/" + other
	for name, c := range map[string]struct {
		policy                string
		byDefault, forwarding bool
	}{
		"the node alone brings the default document": {on(node), true, false},
		"the node alone, checked, brings none":       {checked(node), false, false},
		"the node and the default document":          {checked(node, shell), true, false},
		"the node and another document":              {checked(node, forwarding), false, true},
		"the node and another document, unchecked":   {on(node, forwarding), true, true},
		"the document alone":                         {checked(shell), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.grant("user01", c.policy)
			for document, allowed := range map[string]bool{"": c.byDefault, "SSM-SessionManagerRunShell": c.byDefault, other: c.forwarding} {
				var names []string
				if document != "" {
					names = []string{document}
				}
				_, err := w.open(user01, pc01, names...)
				want := "AccessDeniedException"
				if allowed {
					want = ""
				}
				if got := codeOf(err); got != want {
					t.Errorf("with document %q it is %q, want %q", document, got, want)
				}
			}
		})
	}
}

func TestConditionsOfTheRequestAreSupplied(t *testing.T) {
	statement := func(condition string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":%s}]}`, condition)
	}
	for name, c := range map[string]struct {
		condition string
		user      aws.Credentials
		allowed   bool
	}{
		"time before its end":           {`{"DateLessThan":{"aws:CurrentTime":"2026-12-01T09:00:01Z"}}`, user01, true},
		"time after its end":            {`{"DateLessThan":{"aws:CurrentTime":"2026-12-01T09:00:00Z"}}`, user01, false},
		"the user's name":               {`{"StringEquals":{"aws:username":"user01"}}`, user01, true},
		"the user's id":                 {`{"StringEquals":{"aws:userid":"AIDAEMULATEDUSER01000"}}`, user01, true},
		"the address":                   {`{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, user01, true},
		"another address":               {`{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, user01, false},
		"the region":                    {`{"StringEquals":{"aws:RequestedRegion":"ap-northeast-1"}}`, user01, true},
		"MFA with long-term keys":       {`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, user01, false},
		"MFA with a session":            {`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, withMFA, true},
		"a tag that the node has":       {`{"StringEquals":{"ssm:resourceTag/Name":"PC01"}}`, user01, false},
		"a tag, where there is one":     {`{"StringEqualsIfExists":{"ssm:resourceTag/Name":"PC01"}}`, user01, true},
		"another tag than the node has": {`{"StringEqualsIfExists":{"ssm:resourceTag/Name":"PC02"}}`, user01, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.grant("user01", statement(c.condition))
			// With a document, so that node and document are judged both: the node
			// has a tag, the document has none.
			_, err := w.open(c.user, pc01, "AWS-StartSSHSession")
			want := "AccessDeniedException"
			if c.allowed {
				want = ""
			}
			wantCode(t, err, want)
		})
	}
}

func TestBoundaryAndGroupBearOnAUser(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("web")}))(t)
	access := w.newPolicy("access", accessTo(pc01))
	must(c.AttachGroupPolicy(ctx(t), &iam.AttachGroupPolicyInput{GroupName: aws.String("web"), PolicyArn: aws.String(access)}))(t)
	_, err := w.open(user01, pc01)
	wantCode(t, err, "AccessDeniedException")
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("web"), UserName: aws.String("user01")}))(t)
	_, err = w.open(user01, pc01)
	wantCode(t, err, "")
	boundary := w.newPolicy("boundary", anyDocument)
	if err := w.Account(account).IAM.SetBoundary(emulatediam.User, "user01", boundary); err != nil {
		t.Fatal(err)
	}
	_, err = w.open(user01, pc01)
	wantCode(t, err, "AccessDeniedException")
	if !strings.Contains(err.Error(), "no permissions boundary allows") {
		t.Errorf("the sentence does not name the boundary: %v", err)
	}
}

func TestOperatorMayDoItsWorkAndNoMore(t *testing.T) {
	w := newWorld(t)
	c := w.iam(operator)
	created := must(c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{
		PolicyName: aws.String("P"), Path: aws.String("/ssm-access/0a1b2c3d/"), PolicyDocument: aws.String(anyDocument), Tags: tags("k"),
	}))(t)
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: created.Policy.Arn}))(t)
	must(c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{}))(t)
	_, err := c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("Q"), PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "AccessDenied")
	_, err = c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{
		UserName: aws.String("user01"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
	})
	wantCode(t, err, "AccessDenied")
	if want := "User: arn:aws:iam::" + account + ":user/ssm-access-operator is not authorized to perform: iam:AttachUserPolicy on resource: arn:aws:iam::" + account + ":user/user01 because no identity-based policy allows the iam:AttachUserPolicy action"; !strings.Contains(err.Error(), want) {
		t.Errorf("the sentence is %v", err)
	}
	_, err = c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("x")})
	wantCode(t, err, "AccessDenied")
}

func TestTagsNeedThePermissionToTag(t *testing.T) {
	w := newWorld(t)
	w.grant("user01", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:CreatePolicy","iam:CreateUser","ssm:CreateDocument"],"Resource":"*"}]}`)
	c := w.iam(user01)
	_, err := c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("a"), PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "")
	_, err = c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("b"), PolicyDocument: aws.String(anyDocument), Tags: tags("k")})
	wantCode(t, err, "AccessDenied")
	if !strings.Contains(err.Error(), "iam:TagPolicy") {
		t.Errorf("the sentence does not name the action that is missing: %v", err)
	}
	_, err = c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("b"), Tags: tags("k")})
	wantCode(t, err, "AccessDenied")
	document := &ssm.CreateDocumentInput{Name: aws.String("doc"), Content: aws.String(`{"schemaVersion":"1.0","sessionType":"Standard_Stream"}`), DocumentType: types.DocumentTypeSession}
	document.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	_, err = w.ssm(user01).CreateDocument(ctx(t), document)
	wantCode(t, err, "AccessDeniedException")
	document.Tags = nil
	_, err = w.ssm(user01).CreateDocument(ctx(t), document)
	wantCode(t, err, "")
}

func TestQuestionsFollowTheStateThatIsAskedAbout(t *testing.T) {
	w := newWorld(t)
	var states []*emulatediam.State
	w.Observe(func(c awsemulator.Change) {
		if c.Service == "iam" {
			states = append(states, c.IAM)
		}
	})
	w.grant("user01", accessTo(pc01))
	w.SetConsistencyDelay(30 * time.Second)
	if err := w.Account(account).IAM.RemovePolicy("ssma-user01"); err != nil {
		t.Fatal(err)
	}
	q := awsemulator.Question{Principal: "arn:aws:iam::" + account + ":user/user01", Region: region, Target: pc01}
	var verdicts []bool
	for _, s := range states {
		verdicts = append(verdicts, must(w.MayIn(s, q))(t).Allowed)
	}
	// Created, attached, removed.
	if fmt.Sprint(verdicts) != "[false true false]" {
		t.Fatalf("the verdicts along the way are %v", verdicts)
	}
	if must(w.May(q))(t).Allowed {
		t.Fatal("the latest state still allows")
	}
	q.Lagging = true
	if !must(w.May(q))(t).Allowed {
		t.Fatal("evaluation does not lag")
	}
	for name, bad := range map[string]awsemulator.Question{
		"no ARN":                 {Principal: "user01", Action: "ssm:StartSession"},
		"nobody":                 {Principal: "arn:aws:iam::" + account + ":user/nobody", Action: "ssm:StartSession"},
		"an unknown account":     {Principal: "arn:aws:iam::000000000000:user/user01", Action: "ssm:StartSession"},
		"an action that is none": {Principal: q.Principal, Action: "StartSession"},
		"a key that is none":     {Principal: q.Principal, Action: "ssm:StartSession", Context: map[string][]string{"aws:Nonsense": {"x"}}},
		"a target nowhere":       {Principal: q.Principal, Target: pc01},
	} {
		if _, err := w.May(bad); err == nil {
			t.Errorf("a question with %s has an answer", name)
		}
	}
}
