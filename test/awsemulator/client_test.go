package awsemulator_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// environment is that of a client of the CLI or boto3.
func (w *world) environment() []string {
	outside := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(outside,
		"AWS_ENDPOINT_URL="+w.url, "AWS_DEFAULT_REGION="+region, "AWS_ACCESS_KEY_ID="+admin.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+admin.SecretAccessKey, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
}

// runClient runs a client other than the Go SDK and returns what it prints.
func (w *world) runClient(stdin, program string, args ...string) (string, error) {
	w.t.Helper()
	c := exec.CommandContext(ctx(w.t), program, args...)
	c.Env, c.Stdin = w.environment(), strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestBoto3WorksUnchanged(t *testing.T) {
	t.Parallel()
	if exec.Command("python3", "-c", "import boto3").Run() != nil {
		t.Skip("boto3 is not installed: only the Go SDK is tried")
	}
	w := newWorld(t, withEverything)
	script := must(os.ReadFile("testdata/boto3_walk.py"))(t)
	out, err := w.runClient(string(script), "python3", "-")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	counts := w.Calls()
	for _, operation := range w.Operations() {
		if counts.ByAction[operation] == 0 && !slices.Contains(withoutSDK, operation) && !slices.Contains(strings.Fields(out), operation) { // The script prints what its boto3 does not know.
			t.Errorf("%s is never called", operation)
		}
	}
}

// awsCLI is the AWS CLI: the one that AWS_CLI names, or that of the path.
func awsCLI(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("AWS_CLI"); path != "" {
		return path
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed, and AWS_CLI names none: only the SDKs are tried")
	}
	return path
}

func TestAWSCLIWorksUnchanged(t *testing.T) {
	t.Parallel()
	cli := awsCLI(t)
	w := newWorld(t, withEverything)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sts", "get-caller-identity", "--query", "Arn"}, `"arn:aws:iam::` + account + `:user/admin"`},
		{[]string{"iam", "get-policy-version", "--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess", "--version-id", "v1", "--query", "PolicyVersion.Document.Statement[0].Effect"}, `"Allow"`},
		{[]string{"ec2", "describe-instances", "--filters", "Name=tag:Name,Values=PC01", "--query", "Reservations[0].Instances[0].State.Name"}, `"running"`},
		{[]string{"ec2", "describe-vpc-endpoints", "--filters", "Name=service-name,Values=*.ssmmessages", "--query", "VpcEndpoints[0].State"}, `"available"`},
		{[]string{"ec2", "describe-vpc-attribute", "--vpc-id", "vpc-0b00000000000a000", "--attribute", "enableDnsSupport", "--query", "EnableDnsSupport.Value"}, `true`},
		{[]string{"kms", "get-key-policy", "--key-id", fixtures.S7Key, "--query", "PolicyName"}, `"default"`},
		{[]string{"logs", "describe-log-groups", "--query", "logGroups[0].logGroupName"}, `"LogGroup-SessionManager"`},
		{[]string{"s3api", "get-bucket-encryption", "--bucket", fixtures.S7Bucket, "--query", "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm"}, `"aws:kms"`},
		{[]string{"iam", "get-instance-profile", "--instance-profile-name", "stg-ec2-instance-profile", "--query", "InstanceProfile.Roles[0].RoleName"}, `"stg-EC2SSMRoleForRDSAccess"`},
		{[]string{"ssm", "describe-instance-information", "--query", "InstanceInformationList[0].PingStatus"}, `"Online"`},
		{[]string{"ssm", "describe-instance-properties", "--query", "InstanceProperties[0].PingStatus"}, `"Online"`},
		{[]string{"ssm", "describe-document", "--name", "AWS-StartSSHSession", "--query", "Document.CreatedDate < `1600000000` && Document.CreatedDate > `1500000000`"}, `true`},
	} {
		out, err := w.runClient("", cli, append(c.args, "--output", "json")...)
		if err != nil || strings.TrimSpace(out) != c.want {
			t.Errorf("aws %s prints %s (%v), want %s", strings.Join(c.args, " "), out, err, c.want)
		}
	}
	out, err := w.runClient("", cli, "iam", "get-user", "--user-name", "nobody")
	if err == nil || !strings.Contains(out, "(NoSuchEntity)") {
		t.Errorf("the CLI prints %s", out)
	}
}

func TestTLSIsTrustedThroughTheCABundle(t *testing.T) {
	t.Parallel()
	cli := awsCLI(t)
	server := must(awsemulator.New(awsemulator.Options{Fixture: fixtures.S1()}))(t)
	certificate := must(awsemulator.SelfSigned("127.0.0.1", "localhost"))(t)
	running := must(server.Start("127.0.0.1:0", certificate))(t)
	defer func() {
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	}()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, certificate.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{Server: server, t: t, url: running.URL}
	if out, err := w.runClient("", cli, "sts", "get-caller-identity"); err == nil {
		t.Fatalf("without the bundle the CLI prints %s", out)
	}
	out, err := w.runClient("", cli, "--ca-bundle", bundle, "sts", "get-caller-identity")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var identity struct{ Account string }
	if err := json.Unmarshal([]byte(out), &identity); err != nil || identity.Account != account {
		t.Fatalf("the CLI prints %s (%v)", out, err)
	}
}

func TestStopCutsHeldCallsAndFreesThePort(t *testing.T) {
	server := must(awsemulator.New(awsemulator.Options{Fixture: fixtures.S1()}))(t)
	running := must(server.Start("127.0.0.1:0", nil))(t)
	address := strings.TrimPrefix(running.URL, "http://")
	if _, err := server.Start(address, nil); err == nil {
		t.Fatal("two servers listen on one address")
	}
	if err := running.Stop(); err != nil {
		t.Fatal(err)
	}
	listener := must(net.Listen("tcp", address))(t)
	listener.Close()
}
