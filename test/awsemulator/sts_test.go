package awsemulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emulatediam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

const operatorRole = "arn:aws:iam::" + account + ":role/ssm-access-operator"

func (w *world) assume(c aws.Credentials, role, externalID, policy string) (aws.Credentials, error) {
	in := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("manager")}
	if externalID != "" {
		in.ExternalId = aws.String(externalID)
	}
	if policy != "" {
		in.Policy = aws.String(policy)
	}
	out, err := w.sts(c).AssumeRole(ctx(w.t), in)
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken,
	}, nil
}

func TestRoleIsAssumedWithItsExternalID(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"", "abd"} {
		_, err := w.assume(operator, operatorRole, id, "")
		wantCode(t, err, "AccessDenied")
	}
	_, err := w.assume(user01, operatorRole, "abc", "")
	wantCode(t, err, "AccessDenied")
	_, err = w.assume(operator, operatorRole+"x", "abc", "")
	wantCode(t, err, "AccessDenied")
	session := must(w.assume(operator, operatorRole, "abc", ""))(t)
	me := must(w.sts(session).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if want := "arn:aws:sts::" + account + ":assumed-role/ssm-access-operator/manager"; *me.Arn != want || *me.UserId != "AROAEMULATEDOPERATOR0:manager" {
		t.Fatalf("the caller is %s, %s", *me.Arn, *me.UserId)
	}
	must(w.iam(session).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{}))(t)
	// The token belongs to the key.
	stolen := session
	stolen.SessionToken = "another"
	_, err = w.iam(stolen).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{})
	wantCode(t, err, "InvalidClientTokenId")
	stolen.SessionToken = ""
	_, err = w.iam(stolen).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{})
	wantCode(t, err, "InvalidClientTokenId")
}

func TestExternalIDHoldsWithoutEvaluationToo(t *testing.T) {
	w := newWorld(t, func(o *awsemulator.Options) { o.EvaluateIAM = false })
	_, err := w.assume(operator, operatorRole, "abd", "")
	wantCode(t, err, "AccessDenied")
	must(w.assume(operator, operatorRole, "abc", ""))(t)
}

func TestSessionPolicyNarrowsARole(t *testing.T) {
	w := newWorld(t)
	session := must(w.assume(operator, operatorRole, "abc", anyDocument))(t)
	_, err := w.iam(session).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{})
	wantCode(t, err, "AccessDenied")
}

func TestCredentialsMustBeRight(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		credentials   aws.Credentials
		query, byJSON string
	}{
		"an unknown key":   {key("AKIANOBODY0000000000", "x"), "InvalidClientTokenId", "UnrecognizedClientException"},
		"a wrong secret":   {key(admin.AccessKeyID, "x"), "SignatureDoesNotMatch", "InvalidSignatureException"},
		"a token too many": {aws.Credentials{AccessKeyID: admin.AccessKeyID, SecretAccessKey: admin.SecretAccessKey, SessionToken: "x"}, "InvalidClientTokenId", "UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.sts(c.credentials).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{})
			wantCode(t, err, c.query)
			_, err = w.ssm(c.credentials).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{})
			wantCode(t, err, c.byJSON)
		})
	}
}

func TestExpiredCredentialsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.Account(account).IAM.AddKey(emulatediam.AccessKey{
		ID: "ASIAEXPIRED000000000", Secret: "s", SessionToken: "t", OwnerKind: emulatediam.Role, Owner: "node", SessionName: "x",
		Expires: time.Now().Add(-time.Second),
	})
	expired := aws.Credentials{AccessKeyID: "ASIAEXPIRED000000000", SecretAccessKey: "s", SessionToken: "t"}
	_, err := w.sts(expired).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{})
	wantCode(t, err, "ExpiredToken")
	_, err = w.ssm(expired).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{})
	wantCode(t, err, "ExpiredTokenException")
}

func TestAccountThatIsAddedHasAlwaysBeenThere(t *testing.T) {
	w := newWorld(t)
	w.SetConsistencyDelay(time.Minute)
	err := w.AddAccount(fixtures.Account{ID: "111122223333", Users: []fixtures.User{{Name: "u", AccessKeys: []fixtures.AccessKey{{ID: "AKIAU000000000000000", Secret: "s"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	must(w.sts(key("AKIAU000000000000000", "s")).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
}

func TestTrustedSignaturesTellTheCallerByTheKey(t *testing.T) {
	w := newWorld(t, func(o *awsemulator.Options) { o.TrustSignatures = true })
	me := must(w.sts(key(user01.AccessKeyID, "whatever")).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if !strings.HasSuffix(*me.Arn, ":user/user01") {
		t.Fatalf("the caller is %s", *me.Arn)
	}
}

func TestRoleOfAnotherAccountAndPartition(t *testing.T) {
	w := newWorld(t)
	other := must(fixtures.Parse([]byte(`
accounts:
- id: "444455556666"
  partition: aws-cn
  rootKeys: [{id: AKIAROOTOFTHEOTHER00, secret: s}]
- id: "111122223333"
  roles:
  - name: ssm-access-operator
    trust: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: "arn:aws:iam::488821267897:user/ssm-access-operator"}, Action: sts:AssumeRole}]}
`)))(t)
	for _, a := range other.Accounts {
		if err := w.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	root := key("AKIAROOTOFTHEOTHER00", "s")
	me := must(w.sts(root).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if *me.Arn != "arn:aws-cn:iam::444455556666:root" || *me.Account != "444455556666" {
		t.Fatalf("the root user is %s", *me.Arn)
	}
	must(w.iam(root).CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("u")}))(t)
	session := must(w.assume(operator, "arn:aws:iam::111122223333:role/ssm-access-operator", "", ""))(t)
	_, err := w.iam(session).ListUsers(ctx(t), &iam.ListUsersInput{})
	wantCode(t, err, "AccessDenied")
	me = must(w.sts(session).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if *me.Account != "111122223333" {
		t.Fatalf("the session is of account %s", *me.Account)
	}
	// A user that is gone has no credentials.
	if err := w.Account(account).IAM.RemoveEntity("User", "user02"); err != nil {
		t.Fatal(err)
	}
	_, err = w.sts(user02).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{})
	wantCode(t, err, "InvalidClientTokenId")
}
