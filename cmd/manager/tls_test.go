package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func TestAWSIsReachedThroughACABundle(t *testing.T) {
	certificate, err := awsemulator.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, certificate.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := awsemulator.New(awsemulator.Options{Fixture: fixtures.S1()})
	if err != nil {
		t.Fatal(err)
	}
	running, err := server.Start("127.0.0.1:0", certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("AWS_ENDPOINT_URL", running.URL)
	t.Setenv("AWS_REGION", "ap-northeast-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEMULATEDOPERATOR")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "emulated-secret-of-the-operator")

	if err := verify(t); err == nil {
		t.Fatal("a certificate that nobody vouches for was accepted")
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if err := verify(t); err != nil {
		t.Fatal(err)
	}
}

// verify asks AWS for its identity, with the configuration that the environment
// gives.
func verify(t *testing.T) error {
	t.Helper()
	base, err := config.LoadDefaultConfig(t.Context(), config.WithHTTPClient(awsclient.NewHTTPClient()))
	if err != nil {
		t.Fatal(err)
	}
	pool := iam.NewPool(awsclient.NewPool(awsclient.Options{Base: base, OwnerID: "0a1b2c3d"}), nil)
	_, err = pool.Account(awsclient.Config{AccountID: "488821267897", Region: "ap-northeast-1"}).Identity(t.Context())
	return err
}
