package awsemulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const (
	account = "488821267897"
	region  = "ap-northeast-1"
	pc01    = "i-051cac51072605f39"
	pc02    = "i-0ee187d8794b12114"
)

// The credentials of the fixture.
var (
	admin    = key("AKIAEMULATEDADMIN000", "emulated-secret-of-admin")
	operator = key("AKIAEMULATEDOPERATOR", "emulated-secret-of-the-operator")
	user01   = key("AKIAEMULATEDUSER0100", "emulated-secret-of-user01")
	user02   = key("AKIAEMULATEDUSER0200", "emulated-secret-of-user02")
	withMFA  = aws.Credentials{
		AccessKeyID: "ASIAEMULATEDUSER0100", SecretAccessKey: "emulated-secret-of-user01-mfa", SessionToken: "emulated-token-of-user01",
	}
)

func key(id, secret string) aws.Credentials {
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
}

// start is the time at which tests begin.
var start = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// world is an emulator that serves over HTTP.
type world struct {
	*awsemulator.Server
	t   *testing.T
	url string
}

// newWorld starts an emulator with the first scenario's fixture, which judges
// callers and whose clock does not advance by itself.
func newWorld(t *testing.T, change ...func(*awsemulator.Options)) *world {
	t.Helper()
	o := awsemulator.Options{Fixture: fixtures.S1(), EvaluateIAM: true, Clock: clock.Fixed(start), Seed: 1}
	for _, f := range change {
		f(&o)
	}
	server, err := awsemulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.RemoveFault("")
		server.Close()
		listener.CloseClientConnections()
		listener.Close()
	})
	return &world{Server: server, t: t, url: listener.URL}
}

// config makes the SDK call the emulator, once and without retrying.
func (w *world) config(c aws.Credentials) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(w.url), Credentials: credentials.StaticCredentialsProvider{Value: c},
		RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: plainBody{http.DefaultTransport.(*http.Transport).Clone()}},
	}
}

// plainBody hides that the SDK's request body has a WriteTo. The SDK closes the
// body when the answer arrives, and WriteTo then returns io.EOF as an error. If
// the answer arrives before net/http has checked for the end of the body,
// net/http closes the connection while the answer is being read. An answer from
// the same machine often arrives that early.
type plainBody struct{ http.RoundTripper }

func (p plainBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.RoundTripper.RoundTrip(r)
}

func (w *world) iam(c aws.Credentials) *iam.Client { return iam.NewFromConfig(w.config(c)) }
func (w *world) sts(c aws.Credentials) *sts.Client { return sts.NewFromConfig(w.config(c)) }
func (w *world) ssm(c aws.Credentials) *ssm.Client { return ssm.NewFromConfig(w.config(c)) }
func (w *world) ec2(c aws.Credentials) *ec2.Client { return ec2.NewFromConfig(w.config(c)) }
func (w *world) kms(c aws.Credentials) *kms.Client { return kms.NewFromConfig(w.config(c)) }
func (w *world) logs(c aws.Credentials) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(w.config(c))
}

func (w *world) s3(c aws.Credentials) *s3.Client {
	return s3.NewFromConfig(w.config(c), func(o *s3.Options) { o.UsePathStyle = true })
}

// codeOf is the code of an AWS error, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "transport: " + err.Error()
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := codeOf(err); got != code {
		t.Fatalf("the error code is %q, want %q (%v)", got, code, err)
	}
}

// must returns a value that comes with no error.
func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	return t.Context()
}

const anyDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}`

// newPolicy creates a policy and returns its ARN.
func (w *world) newPolicy(name, document string) string {
	w.t.Helper()
	out, err := w.iam(admin).CreatePolicy(ctx(w.t), &iam.CreatePolicyInput{
		PolicyName: aws.String(name), Path: aws.String("/ssm-access/0a1b2c3d/"), PolicyDocument: aws.String(document),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Policy.Arn
}
