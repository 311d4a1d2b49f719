package sessionclient_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// plugin is the real session-manager-plugin in a session.
type plugin struct {
	t     *testing.T
	id    string
	input io.Writer
	lines chan string
	ended chan error
}

// startPlugin starts a session and the plugin for it, as the AWS CLI does.
func (w *world) startPlugin(t *testing.T, in ssm.StartSessionInput) *plugin {
	t.Helper()
	path := os.Getenv("SESSION_MANAGER_PLUGIN")
	if path == "" {
		t.Skip("SESSION_MANAGER_PLUGIN does not name the session-manager-plugin: this path was tried with the project's client alone")
	}
	in.Target = aws.String(pc01)
	started, err := w.ssm(admin).StartSession(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	response, err := json.Marshal(map[string]string{"SessionId": *started.SessionId, "StreamUrl": *started.StreamUrl, "TokenValue": *started.TokenValue})
	if err != nil {
		t.Fatal(err)
	}
	request, err := json.Marshal(map[string]any{"Target": pc01})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, string(response), region, "StartSession", "", string(request), w.url)
	cmd.Env = append(w.pluginEnvironment(t), "PATH="+os.Getenv("PATH"))
	p := run(t, cmd)
	p.id = *started.SessionId
	return p
}

// pluginEnvironment points the plugin and the CLI at the emulator.
func (w *world) pluginEnvironment(t *testing.T) []string {
	t.Helper()
	return []string{
		"HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=" + admin.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + admin.SecretAccessKey,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ENDPOINT_URL=" + w.url, "AWS_ENDPOINT_URL_KMS=" + w.url,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// run starts the plugin, or the CLI that starts it.
func run(t *testing.T, cmd *exec.Cmd) *plugin {
	t.Helper()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &plugin{t: t, input: input, lines: make(chan string, 1000), ended: make(chan error, 1)}
	go func() {
		scanner := bufio.NewScanner(output)
		for scanner.Scan() {
			p.lines <- scanner.Text()
		}
		close(p.lines)
		p.ended <- cmd.Wait()
	}()
	return p
}

// expect waits for a line that contains a text.
func (p *plugin) expect(text string) string {
	p.t.Helper()
	deadline := time.After(limit)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the plugin ends without %q", text)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			p.t.Fatalf("the plugin does not print %q", text)
		}
	}
}

func (p *plugin) types(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.input, text+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plugin) exits(within time.Duration) {
	p.t.Helper()
	go func() {
		for range p.lines { // Whatever else it prints.
		}
	}()
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("the plugin ends with %v", err)
		}
	case <-time.After(within):
		p.t.Fatalf("the plugin runs after %v", within)
	}
}

func TestRealCLIOpensASessionByTheRealPlugin(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	path, cli := os.Getenv("SESSION_MANAGER_PLUGIN"), os.Getenv("AWS_CLI")
	if path == "" || cli == "" {
		t.Skip("SESSION_MANAGER_PLUGIN and AWS_CLI do not name both programs: the CLI was not tried with the plugin")
	}
	bin := t.TempDir()
	if err := os.Symlink(path, filepath.Join(bin, "session-manager-plugin")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), cli, "ssm", "start-session", "--target", pc01)
	cmd.Env = append(w.pluginEnvironment(t), "PATH="+bin+":"+os.Getenv("PATH"))
	p := run(t, cmd)
	p.types("id -un")
	p.expect("ssm-user")
	sessions, err := w.ssm(admin).DescribeSessions(t.Context(), &ssm.DescribeSessionsInput{State: "Active"})
	if err != nil || len(sessions.Sessions) != 1 {
		t.Fatalf("the open sessions are %+v (%v)", sessions, err)
	}
	w.terminate(t, *sessions.Sessions[0].SessionId)
	p.expect("Exiting session with sessionId: ")
	p.exits(2 * time.Second)
}

// waitConnected waits until the plugin is connected again.
func (w *world) waitConnected(t *testing.T, session string) {
	t.Helper()
	ticker, deadline := time.NewTicker(10*time.Millisecond), time.After(limit)
	defer ticker.Stop()
	for !w.SessionConnected(session) {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("the plugin does not resume the session")
		}
	}
}

func (w *world) terminate(t *testing.T, id string) {
	t.Helper()
	if _, err := w.ssm(admin).TerminateSession(t.Context(), &ssm.TerminateSessionInput{SessionId: &id}); err != nil {
		t.Fatal(err)
	}
}

func TestRealPluginWorksInAShellUntilTheSessionIsTerminated(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	p := w.startPlugin(t, ssm.StartSessionInput{})
	p.expect("Starting session with SessionId: " + p.id)
	p.types("id -un")
	p.expect("ssm-user")
	w.CutSession(p.id)
	// The plugin ends when something is typed before it has resumed.
	w.waitConnected(t, p.id)
	p.types("echo after the cut")
	p.expect("after the cut")
	p.types("seq 20000")
	p.expect("19999")
	began := time.Now()
	w.terminate(t, p.id)
	p.expect("Exiting session with sessionId: " + p.id)
	p.exits(2 * time.Second)
	t.Logf("the plugin ended %v after TerminateSession", time.Since(began).Round(time.Millisecond))
}

func TestRealPluginLeavesByExit(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	p := w.startPlugin(t, ssm.StartSessionInput{})
	p.types("exit")
	p.expect("Exiting session with sessionId: " + p.id)
	p.exits(limit)
}

func TestRealPluginRunsTheCommandOfADocument(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	p := w.startPlugin(t, ssm.StartSessionInput{
		DocumentName: aws.String("AWS-StartInteractiveCommand"), Parameters: map[string][]string{"command": {"echo from a document"}},
	})
	p.expect("from a document")
	p.exits(limit)
}

func TestRealPluginForwardsPorts(t *testing.T) {
	for _, version := range []string{"3.0.196.0", "3.0.197.0", "3.3.3050.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, fixtures.S1())
			w.setAgent(version)
			p := w.startPlugin(t, ssm.StartSessionInput{
				DocumentName: aws.String("AWS-StartPortForwardingSession"), Parameters: map[string][]string{"portNumber": {"5432"}},
			})
			line := p.expect("opened for sessionId")
			port := regexp.MustCompile(`Port (\d+) opened`).FindStringSubmatch(line)
			if port == nil {
				t.Fatalf("the plugin opens no port: %s", line)
			}
			c, err := new(net.Dialer).DialContext(t.Context(), "tcp", "localhost:"+port[1])
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			exchange(t, c, 100_000)
			w.terminate(t, p.id)
			p.exits(2 * time.Second)
		})
	}
}
