package hybridactivation_test

import (
	"bytes"
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

//go:embed testdata/machine.sh
var machineScript string

// machine is a machine with the real agent: namespaces of mounts and processes, in which the
// agent may write wherever it writes. The host keeps nothing of it.
type machine struct {
	t   *testing.T
	pid string
}

// realPrograms skips the test unless it gets the directory of the real agent's binaries, the
// real plugin and the AWS CLI.
func realPrograms(t *testing.T) (agent, plugin, cli string) {
	t.Helper()
	agent, plugin, cli = os.Getenv("SSM_AGENT_DIR"), os.Getenv("SESSION_MANAGER_PLUGIN"), os.Getenv("AWS_CLI")
	if agent == "" || plugin == "" || cli == "" {
		t.Skip("SSM_AGENT_DIR, SESSION_MANAGER_PLUGIN and AWS_CLI do not name all programs: the path was tried with test/nodeagent and test/sessionclient alone")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "--mount", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("this process may not make a machine for the agent (%v: %s): run the test as root", err, bytes.TrimSpace(out))
	}
	return agent, plugin, cli
}

// startMachine starts a machine whose agent calls the emulator with TLS, and returns it with
// the URL and the file of the certificate.
func (w world) startMachine(agent string) (m machine, url, ca string) {
	t := w.T
	t.Helper()
	certificate, err := awsemulator.SelfSigned("127.0.0.1")
	w.Must(err)
	running, err := w.Emulator.Start("127.0.0.1:0", certificate)
	w.Must(err)
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	directory := t.TempDir()
	ca = filepath.Join(directory, "ca.pem")
	w.Must(os.WriteFile(ca, certificate.CA, 0o600))
	root := filepath.Join(directory, "root")
	w.Must(os.Mkdir(root, 0o700))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", machineScript)
	cmd.Env = append(os.Environ(), "MACHINE="+root, "AGENT="+agent, "URL="+running.URL, "CA="+ca, "HOME=/root")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	w.Must(err)
	w.Must(cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // It was killed.
	})
	line := make([]byte, len("ready\n"))
	if _, err := out.Read(line); err != nil || string(line) != "ready\n" {
		t.Fatalf("the machine says %q (%v)", line, err)
	}
	children, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/" + strconv.Itoa(cmd.Process.Pid) + "/children")
	w.Must(err)
	return machine{t, strings.TrimSpace(string(children))}, running.URL, ca
}

// run runs a script on the machine, and returns what it prints and its exit code.
func (m machine) run(script string) (output string, code int) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), "nsenter", "--target", m.pid, "--mount", "--pid", "sh", "-s")
	cmd.Stdin = strings.NewReader(script)
	// The script and what it starts may hold a pipe longer than it runs.
	file, err := os.CreateTemp(m.t.TempDir(), "output")
	if err != nil {
		m.t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	_ = cmd.Run() // The code says how it ended.
	text, err := os.ReadFile(file.Name())
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}
