package awsclient_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const roleARN = "arn:aws:iam::" + emulated.AccountID + ":role/deploy"

// newPool is the pool of an operator that starts with the credentials of a user.
func newPool(t *testing.T) (*awsemulator.Server, *awsclient.Pool) {
	t.Helper()
	server, base := emulated.Start(t, emulated.Fixture())
	base.Credentials = credentials.NewStaticCredentialsProvider("AKIAOPERATOROPERATOR", "operator-secret", "")
	return server, awsclient.NewPool(awsclient.Options{Base: base, OwnerID: emulated.OwnerID, Rate: 1e6, Burst: 1e6})
}

// assuming is the way to the account by the role, in a region.
func assuming(region string) awsclient.Config {
	return awsclient.Config{AccountID: emulated.AccountID, RoleARN: roleARN, ExternalID: "abc", Region: region}
}

func TestIdentityOfAnAssumedRoleBearsNoSessionName(t *testing.T) {
	server, pool := newPool(t)
	id, err := pool.Account(assuming(emulated.Region)).Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := awsclient.Identity{
		ARN: "arn:aws:sts::" + emulated.AccountID + ":assumed-role/deploy", AccountID: emulated.AccountID, Partition: "aws",
	}
	if id != want {
		t.Errorf("identity %+v, want %+v", id, want)
	}
	for _, call := range server.CallLog(0) {
		if call.Operation == "AssumeRole" && call.Parameters["RoleSessionName"] != "ssm-access-operator-"+emulated.OwnerID {
			t.Errorf("session name %q", call.Parameters["RoleSessionName"])
		}
	}
}

func TestCredentialsAreAssumedOnceForARoleAndExternalID(t *testing.T) {
	server, pool := newPool(t)
	first := pool.Account(assuming(emulated.Region))
	for _, region := range []string{emulated.Region, "eu-central-1", emulated.Region} {
		account := pool.Account(assuming(region))
		if account != first {
			t.Fatal("another account for the same id")
		}
		if _, err := account.Identity(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := server.Calls().ByAction["sts:AssumeRole"]; got != 1 {
		t.Errorf("%d calls of AssumeRole, want 1", got)
	}
}

func TestAListenerReceivesTheIdentityThatIsKnownAndThoseToCome(t *testing.T) {
	_, pool := newPool(t)
	account := pool.Account(assuming(emulated.Region))
	var early, late []string
	account.OnIdentity(func(id awsclient.Identity) { early = append(early, id.AccountID) })
	if _, err := account.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	account.OnIdentity(func(id awsclient.Identity) { late = append(late, id.AccountID) })
	if len(early) != 1 || len(late) != 1 || late[0] != emulated.AccountID {
		t.Errorf("received %v and %v", early, late)
	}
}
