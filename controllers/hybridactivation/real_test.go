package hybridactivation_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// patience is how long the real programs may take for one step.
const patience = 90 * time.Second

// realSession is the AWS CLI with the plugin in a session.
type realSession struct {
	t     *testing.T
	input io.Writer
	lines chan string
	ended chan error
}

// openReal opens a session as the AWS CLI does.
func (w world) openReal(cli, plugin, url, ca, user, node string) *realSession {
	w.T.Helper()
	bin := w.T.TempDir()
	w.Must(os.Symlink(plugin, filepath.Join(bin, "session-manager-plugin")))
	keys := w.Credentials(user)
	cmd := exec.CommandContext(w.T.Context(), cli, "ssm", "start-session", "--target", node)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey,
		"AWS_REGION="+scenario.Region, "AWS_DEFAULT_REGION="+scenario.Region, "AWS_ENDPOINT_URL="+url, "AWS_CA_BUNDLE="+ca, "SSL_CERT_FILE="+ca,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	input, err := cmd.StdinPipe()
	w.Must(err)
	output, err := cmd.StdoutPipe()
	w.Must(err)
	cmd.Stderr = cmd.Stdout
	w.Must(cmd.Start())
	x := &realSession{t: w.T, input: input, lines: make(chan string, 10000), ended: make(chan error, 1)}
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			x.lines <- scanner.Text()
		}
		close(x.lines)
		x.ended <- cmd.Wait()
	}()
	return x
}

// expect waits for a line that contains a text.
func (x *realSession) expect(text string) string {
	x.t.Helper()
	deadline, seen := time.After(patience), []string(nil)
	for {
		select {
		case line, ok := <-x.lines:
			if !ok {
				x.t.Fatalf("the plugin ends without %q, after %q", text, seen)
			}
			if seen = append(seen, line); strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			x.t.Fatalf("the plugin does not print %q, but %q", text, seen)
		}
	}
}

func (x *realSession) types(line, want string) {
	x.t.Helper()
	if _, err := io.WriteString(x.input, line+"\n"); err != nil {
		x.t.Fatal(err)
	}
	x.expect(want)
}

// exits waits until the CLI has ended, and returns when.
func (x *realSession) exits() time.Time {
	x.t.Helper()
	select {
	case err := <-x.ended:
		if err != nil {
			x.t.Errorf("the CLI ends with %v", err)
		}
	case <-time.After(patience):
		x.t.Fatal("the CLI does not end")
	}
	return time.Now()
}

// await waits for something that no watch reports.
func (w world) await(what string, holds func() bool) {
	w.T.Helper()
	ticker, deadline := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			w.T.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w world) reachable(node string) func() bool {
	return func() bool {
		n, ok := w.Node(node)
		return ok && n.Reachable()
	}
}

var registeredAs = regexp.MustCompile(`registered as (mi-[0-9a-f]+), and AWS has answered`)

// TestRealProgramsFromTheRegistrationToTheRevocation takes the real agent, plugin and CLI the
// whole path: the script of the Secret registers a machine, the status shows it, a session
// opens, continues after a cut, and closes when the SessionAccess is deleted. The agent
// survives a failed second registration, a restart and a rotation.
func TestRealProgramsFromTheRegistrationToTheRevocation(t *testing.T) {
	agent, plugin, cli := realPrograms(t)
	w := newWorld(t, testenv.ManagerOptions{})
	w.SSM().SetTier("advanced")
	obj := w.CreateActivation(scenario.Activation("sites"), scenario.Account(scenario.AllowActivations()))
	m, url, ca := w.startMachine(agent)
	script := string(w.Secret("sites").Data[v1alpha1.SecretKeyLinux])
	began := time.Now()
	say := func(format string, args ...any) {
		t.Helper()
		t.Logf("%7.2f s  "+format, append([]any{time.Since(began).Seconds()}, args...)...)
	}

	output, code := m.run(script)
	id := registeredAs.FindStringSubmatch(output)
	if code != 0 || id == nil {
		t.Fatalf("the script ends with %d:\n%s", code, output)
	}
	node := id[1]
	say("register-linux.sh: registered as %s", node)
	w.await("the control channel", w.reachable(node))
	w.Advance(31*time.Second, obj)
	got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return len(a.Status.Nodes) == 1 && a.Status.Nodes[0].Ping == "Online"
	})
	say("status.nodes: %s %s, agent %s", got.Status.Nodes[0].ID, got.Status.Nodes[0].Ping, got.Status.Nodes[0].AgentVersion)

	grant := func() *v1alpha1.SessionAccess {
		access := scenario.Access("user02-sites", "user02")
		access.Spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "sites"}}}
		w.Create(access)
		return w.AwaitAccess(access, v1alpha1.ReasonGranted)
	}
	access := grant()
	x := w.openReal(cli, plugin, url, ca, "user02", node)
	x.expect("Starting session with SessionId")
	x.types("id -un", "ssm-user")
	sessions, err := w.AdminSSM().DescribeSessions(t.Context(), &awsssm.DescribeSessionsInput{State: types.SessionStateActive})
	w.Must(err)
	session := *sessions.Sessions[0].SessionId
	say("a session is open: %s", session)
	w.Emulator.CutSession(session)
	w.await("the plugin to resume", func() bool { return w.Emulator.SessionConnected(session) })
	x.types("echo after the cut", "after the cut")
	say("it continues after a cut")
	deleted := time.Now()
	w.Must(w.Client.Delete(t.Context(), access))
	say("kubectl delete sessionaccess user02-sites")
	x.expect("Exiting session with sessionId: " + session)
	took := x.exits().Sub(deleted)
	say("the terminal has closed, %d ms after the deletion", took.Milliseconds())
	if took > 2*time.Second {
		t.Errorf("the terminal closes %v after the deletion", took)
	}

	output, code = m.run(strings.Replace(strings.Replace(script, string(w.Secret("sites").Data[v1alpha1.SecretKeyCode]), "00000000000000000000", 1), "main \"$@\" <", "main --replace <", 1))
	if code != 6 || !strings.Contains(output, "registered as "+node) {
		t.Fatalf("a registration with a wrong code ends with %d:\n%s", code, output)
	}
	w.await("the agent after a failed registration", w.reachable(node))
	say("a second registration fails, and %s is reached again", node)
	if output, code = m.run("systemctl stop agent && systemctl start agent"); code != 0 {
		t.Fatalf("the agent does not restart:\n%s", output)
	}
	w.await("the agent after a restart", w.reachable(node))
	say("the agent restarts")
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(5)) })
	w.rotates(obj, obj.Status.ActivationID)
	say("the activation is rotated")
	waitForGone(w, access)
	grant()
	x = w.openReal(cli, plugin, url, ca, "user02", node)
	x.types("id -un", "ssm-user")
	x.types("exit", "Exiting session with sessionId")
	x.exits()
	say("a session opens after all that, and ends by exit")
	_, err = w.AdminSSM().DeregisterManagedInstance(t.Context(), &awsssm.DeregisterManagedInstanceInput{InstanceId: &node})
	w.Must(err)
	refused := func() bool { return w.Emulator.Calls().ErrorsByCode["InvalidInstanceId"] > 0 }
	if _, code = m.run("systemctl stop agent; systemctl start agent"); code != 0 {
		t.Fatal("the agent does not restart")
	}
	w.await("the agent of a deregistered node to be refused", refused)
	say("after the deregistration AWS refuses the agent")
}

// waitForGone waits until a SessionAccess is gone.
func waitForGone(w world, access *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.await("the SessionAccess to go", func() bool {
		return w.Client.Get(w.T.Context(), scenario.KeyOf(access), &v1alpha1.SessionAccess{}) != nil
	})
}
