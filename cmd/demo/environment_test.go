package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// source runs a command in a POSIX shell that has sourced the environment.
func source(t *testing.T, env *testenv.Env, command string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "playground.env")
	if err := os.WriteFile(file, []byte(environment(env)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-euc", ". "+quote(file)+"; "+command).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestEnvironmentCanBeSourced(t *testing.T) {
	env := &testenv.Env{
		Cluster: &testenv.Cluster{KubeconfigPath: "/tmp/it's here/kubeconfig", KubectlPath: "/opt/bin dir/kubectl"},
		Account: fixtures.S1().Accounts[0],
		Region:  "ap-northeast-1",
		URL:     "http://127.0.0.1:4566",
	}
	for command, want := range map[string]string{
		`printf %s "$KUBECONFIG"`:                                      "/tmp/it's here/kubeconfig",
		`printf %s "${PATH%%:*}"`:                                      "/opt/bin dir",
		`printf %s "$AWS_ENDPOINT_URL"`:                                "http://127.0.0.1:4566",
		`printf %s "$AWS_REGION $AWS_DEFAULT_REGION"`:                  "ap-northeast-1 ap-northeast-1",
		`printf %s "$AWS_ACCESS_KEY_ID"`:                               "AKIAEMULATEDOPERATOR",
		`printf %s "$USER02_AWS_SECRET_ACCESS_KEY"`:                    "emulated-secret-of-user02",
		`as user01 printenv AWS_ACCESS_KEY_ID`:                         "AKIAEMULATEDUSER0100\n",
		`as ssm-access-operator printenv AWS_SECRET_ACCESS_KEY`:        "emulated-secret-of-the-operator\n",
		`as user01 true; printf %s "$AWS_ACCESS_KEY_ID"`:               "AKIAEMULATEDOPERATOR",
		`curl() { for a; do last=$a; done; echo "$last"; }; may u r s`: `{"principal":"arn:aws:iam::488821267897:user/u","action":"r","resources":["s"]}` + "\n",
	} {
		if got := source(t, env, command); got != want {
			t.Errorf("%s prints %q, want %q", command, got, want)
		}
	}
}
