package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// run runs the plugin with arguments in the present directory.
func run(t *testing.T, stdin string, args ...string) (out, errOut string, err error) {
	t.Helper()
	streams, in, stdout, stderr := genericiooptions.NewTestIOStreams()
	in.WriteString(stdin)
	root := newRoot(streams)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

// inFiles changes to a directory with the manifests that the examples name.
func inFiles(t *testing.T) {
	t.Helper()
	samples, err := filepath.Abs("../../config")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	if err := os.Symlink(samples, "config"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("teams", 0o755); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{
		"accounts.yaml": "features/awsaccount.yaml", "teams/namespace.yaml": "features/namespace.yaml",
		"teams/one.yaml": "features/sessionaccess-instances.yaml",
	} {
		text, err := os.ReadFile(filepath.Join(samples, "samples", from))
		if err == nil {
			err = os.WriteFile(to, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("preferences.json", []byte(`{"schemaVersion":"1.0","inputs":{"kmsKeyId":""}}`), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryCommandHasTwoExamplesThatRun(t *testing.T) {
	inFiles(t)
	for _, cmd := range commands(newRoot(genericiooptions.NewTestIOStreamsDiscard())) {
		examples := 0
		for line := range strings.Lines(cmd.Example) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] == "#" {
				continue
			}
			examples++
			if out, errOut, err := run(t, "", words[2:]...); err != nil || out == "" {
				t.Errorf("%s\nfails with %v, and prints\n%s%s", strings.TrimSpace(line), err, out, errOut)
			}
		}
		if examples < 2 {
			t.Errorf("%q has %d examples, want two", cmd.CommandPath(), examples)
		}
	}
}

// commands lists the commands below one that do something.
func commands(parent *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, cmd := range parent.Commands() {
		if cmd.Runnable() && cmd.Name() != "help" {
			all = append(all, cmd)
		}
		all = append(all, commands(cmd)...)
	}
	return all
}

func TestRenderPrintsPoliciesWithTheirSize(t *testing.T) {
	inFiles(t)
	out, errOut, err := run(t, "", "render", "-f", "config/samples/s1", "--owner-id", "0a1b2c3d", "-o", "wide")
	if err != nil || !strings.HasPrefix(errOut, `unknown: whether document "SSM-SessionManagerRunShell"`) {
		t.Errorf("render fails with %v and says %s", err, errOut)
	}
	for _, want := range []string{
		"ACCOUNT        PRINCIPAL     POLICY", "488821267897   User/user01   ssma-0a1b2c3d-u-user01-22f458698e4d-1   982/6144   team-a/user01-pc01",
		"# /ssm-access/0a1b2c3d/ssma-0a1b2c3d-u-user01-22f458698e4d-1\n{\n", `"arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	names, _, err := run(t, "", "render", "-f", "config/samples/s1", "-o", "name")
	if err != nil || strings.Count(names, "/ssm-access/00000000/ssma-00000000-u-user0") != 2 {
		t.Errorf("the names are %q, %v", names, err)
	}
	jsonpath, _, err := run(t, "", "render", "-f", "config/samples/s1", "-o", "jsonpath={.policies[1].principal.name}")
	if err != nil || jsonpath != "user02" {
		t.Errorf("jsonpath gives %q, %v", jsonpath, err)
	}
}

func TestRenderNamesWhatIsRefusedWithFileAndLine(t *testing.T) {
	inFiles(t)
	const broken = `apiVersion: ssm-access.dev/v1alpha1
kind: SessionAccess
metadata: {name: one, namespace: team-b}
spec:
  accountRef: {name: main}
  principals:
  - {kind: User, name: user01}
  target: []
---
apiVersion: ssm-access.dev/v1alpha1
kind: SessionAccess
metadata: {name: two, namespace: team-b}
spec:
  accountRef: {name: nowhere}
  principals: [{kind: User, name: user01}]
  targets: [{tags: {Env: stg}}]
`
	out, errOut, err := run(t, broken, "render", "-f", "accounts.yaml,-", "-o", "json")
	if exitCode(err) != 1 {
		t.Errorf("the exit code is %d", exitCode(err))
	}
	for _, want := range []string{
		"-:8: SessionAccess team-b/one: spec.target: unknown field", "-:10: SessionAccess team-b/two: AccountNotFound: No AWSAccount is named \"nowhere\"",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("standard error lacks %q:\n%s", want, errOut)
		}
	}
	var printed struct {
		Kind     string
		Policies []any
		Problems []struct{ File, Reason, Field string }
	}
	if err := json.NewDecoder(bytes.NewBufferString(out)).Decode(&printed); err != nil {
		t.Fatal(err)
	}
	if printed.Kind != "Rendering" || len(printed.Policies) != 0 || len(printed.Problems) != 2 || printed.Problems[1].Reason != "AccountNotFound" {
		t.Errorf("printed %+v", printed)
	}
}

func TestRenderSaysWhichFlagIsWrong(t *testing.T) {
	inFiles(t)
	for _, c := range []struct{ args, says string }{
		{"render", "give the manifests with -f"},
		{"render -f accounts.yaml --owner-id x", "8 lower-case hex digits"},
		{"render -f none", "no such file"},
		{"render -f accounts.yaml -o table", `print as "table"`},
		{"render -f accounts.yaml --document a=none", `contents of document "a"`},
	} {
		if _, _, err := run(t, "", strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q gives %v, want %q", c.args, err, c.says)
		}
	}
}
