package hybridactivation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// layout is how a machine got the agent.
type layout struct {
	name, agent, service string
	// prepared: the package brings the agent's directory along.
	prepared bool
}

var layouts = []layout{
	{"deb", "usr/bin/amazon-ssm-agent", "amazon-ssm-agent.service", false},
	{"rpm", "usr/bin/amazon-ssm-agent", "amazon-ssm-agent.service", true},
	{"snap", "snap/amazon-ssm-agent/current/amazon-ssm-agent", "snap.amazon-ssm-agent.amazon-ssm-agent.service", false},
}

const (
	oldNode = "mi-0123456789abcdef0"
	newNode = "mi-fedcba98765432100"
)

// machine stands in for a Linux machine: a directory, and in it commands that
// stand in for the agent and for systemd. The script is the real one; only the
// paths that it names at one place are replaced.
type machine struct {
	t      *testing.T
	root   string
	layout layout
	// shell runs the script, for example dash.
	shell []string
	// environment is added to that of the script.
	environment []string
	r           registration
}

func newMachine(t *testing.T, l layout) machine {
	t.Helper()
	m := machine{t, t.TempDir(), l, []string{"sh"}, nil, registration{ID: "0a1b2c3d-0000-4000-8000-000000000001", Code: ssm.NewActivationCode("it's a/code+="), Region: "ap-northeast-1"}}
	for _, dir := range []string{"bin", "run", filepath.Dir(l.agent)} {
		m.must(os.MkdirAll(m.path(dir), 0o700))
	}
	if l.prepared {
		m.must(os.MkdirAll(m.path("state"), 0o700))
	}
	m.command("bin/id", "id", `if [ -e "$T/not-root" ]; then echo 1000; else echo 0; fi`)
	m.command("bin/systemctl", "systemctl", systemctl)
	m.command("bin/sleep", "sleep", "")
	m.command("bin/sync", "sync", "")
	m.command(l.agent, "agent", agent)
	m.write("environment", "Environment=\n")
	m.write("service", l.service)
	return m
}

// registered makes the machine a node whose service runs.
func (m machine) registered() machine {
	m.t.Helper()
	m.write("state/Vault/Store/RegistrationKey", registrationKey(oldNode, m.r.Region, "OLD"))
	m.write("state/Vault/Store/InstanceFingerprint", "fingerprint")
	m.write("state/Vault/Manifest", `{"RegistrationKey":"x"}`)
	m.write("state/registration", `{"ManagedInstanceID":"`+oldNode+`"}`)
	m.write("active", m.layout.service)
	return m
}

func registrationKey(id, region, key string) string {
	return fmt.Sprintf(`{"instanceID":%q,"region":%q,"instanceType":"","availabilityZone":"","privateKey":%q,"publicKey":"","privateKeyType":"Rsa","privateKeyCreatedDate":"2026-11-29"}`, id, region, key)
}

// systemctl stands in for systemd, which knows one service.
const systemctl = `
for unit; do :; done
service=$(cat "$T/service")
echo "$*" >>"$T/systemctl.log"
[ "$1" = show ] || [ "$unit" = "$service" ] || exit 5
case $1 in
is-active) [ -e "$T/active" ] ;;
show) cat "$T/environment" ;;
stop) [ ! -e "$T/stop-fails" ] || exit 1; rm -f "$T/active" ;;
start)
  if [ -s "$T/start-fails" ]; then
    left=$(cat "$T/start-fails"); left=${left#x}; printf %s "$left" >"$T/start-fails"
    exit 1
  fi
  echo "$service" >"$T/active"
  id=$(sed -n 's/.*"instanceID":"\(mi-[0-9a-f]*\)".*/\1/p' "$T/state/Vault/Store/RegistrationKey" 2>/dev/null)
  expires=2026-11-29T01:00:00Z
  [ ! -e "$T/mute" ] || expires=0001-01-01T00:00:00Z
  mkdir -p "$T/state/runtimeconfig"
  printf '{"SchemaVersion":"1.1","InstanceId":"%s","CredentialsExpiresAt":"%s"}' "$id" "$expires" >"$T/state/runtimeconfig/identity_config.json"
  ;;
reset-failed) ;;
*) exit 2 ;;
esac`

// agent stands in for amazon-ssm-agent -register -y, and does what that does in
// the same order. The file stage names the point at which something happens to it,
// and the file then what that is.
const agent = `
printf '%s\n' "$@" >"$T/arguments"
env | grep -i _proxy= | sort >"$T/proxy"
find "$T/state/ssm-access-backup" -printf '%m %y %P\n' >"$T/modes" 2>/dev/null
store() {
  mkdir -p "$T/state/Vault/Store"
  printf %s "$1" >"$T/state/Vault/Store/RegistrationKey"
  printf '{"RegistrationKey":"x"}' >"$T/state/Vault/Manifest"
}
at() {
  [ "$(cat "$T/stage" 2>/dev/null)" = "$1" ] || return 0
  . "$T/then"
}
at start
store '{"instanceID":"","region":"","privateKey":"NEW","privateKeyType":"Rsa"}'
printf fingerprint2 >"$T/state/Vault/Store/InstanceFingerprint"
at wiped
at called
store '{"instanceID":"` + newNode + `","region":"ap-north'
at torn
store '{"instanceID":"` + newNode + `","region":"ap-northeast-1","privateKey":"NEW","privateKeyType":"Rsa"}'
at stored
printf '{"ManagedInstanceID":"` + newNode + `"}' >"$T/state/registration"
at end
exit 0`

// stages are the points of the stand-in agent.
var stages = []string{"start", "wiped", "called", "torn", "stored", "end"}

// command puts a command on the machine. Each counts itself, and kills the script
// when its number comes up.
func (m machine) command(path, name, body string) {
	m.t.Helper()
	m.write(path, `#!/bin/sh
T='`+m.root+`'
if [ -e "$T/kill-at" ]; then
  read -r n <"$T/n"
  n=$((n + 1))
  echo "$n" >"$T/n"
  read -r at <"$T/kill-at"
  if [ "$n" = "$at" ]; then
    echo "`+name+` $*" >"$T/killed"
    read -r pid <"$T/pid"
    kill -9 "$pid"
    exit 137
  fi
fi
`+body+"\n")
	m.must(os.Chmod(m.path(path), 0o700))
}

// counted has all commands that the script calls count themselves.
func (m machine) counted() machine {
	m.t.Helper()
	for _, name := range []string{"mkdir", "flock", "rm", "cp", "mv", "chmod", "sed", "grep"} {
		found, err := exec.LookPath(name)
		m.must(err)
		m.command("bin/"+name, name, `exec `+found+` "$@"`)
	}
	return m
}

// happens has the agent do something at a stage.
func (m machine) happens(stage, then string) machine {
	m.t.Helper()
	m.write("stage", stage)
	m.write("then", then)
	return m
}

// setting is a line of the script that names what is outside of it.
var setting = regexp.MustCompile(`(?m)^(PATH|state|lock|package_agent|snap_agent|report_seconds)=.*$`)

// script is the script with the machine's paths.
func (m machine) script() string {
	m.t.Helper()
	values := map[string]string{
		"PATH": m.path("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "state": m.path("state"), "lock": m.path("run/lock"),
		"package_agent": m.path("usr/bin/amazon-ssm-agent"), "snap_agent": m.path("snap/amazon-ssm-agent/current/amazon-ssm-agent"),
		"report_seconds": "1",
	}
	n := 0
	text := setting.ReplaceAllStringFunc(linuxScript(m.r), func(line string) string {
		n++
		name, _, _ := strings.Cut(line, "=")
		return name + "=" + shellQuote(values[name])
	})
	if n != len(values) {
		m.t.Fatalf("the script names %d paths of the machine at one place, want %d", n, len(values))
	}
	return text
}

// run runs the script as a person does, from the standard input, and returns its
// exit code, -1 when it was killed.
func (m machine) run(arguments ...string) (code int, output string) {
	m.t.Helper()
	return m.runText(m.script(), arguments...)
}

func (m machine) runText(text string, arguments ...string) (code int, output string) {
	m.t.Helper()
	cmd := m.start(m.t.Context(), text, arguments...)
	out, err := cmd.CombinedOutput()
	if exit, ended := errors.AsType[*exec.ExitError](err); ended {
		return exit.ExitCode(), string(out)
	}
	m.must(err)
	return 0, string(out)
}

// start prepares a run. The file pid names its shell.
func (m machine) start(ctx context.Context, text string, arguments ...string) *exec.Cmd {
	m.t.Helper()
	line := append([]string{"-c", `echo $$ >"$0/pid"; exec "$@"`, m.root}, m.shell...)
	cmd := exec.CommandContext(ctx, "/bin/sh", append(append(line, "-s", "--"), arguments...)...)
	cmd.Stdin = strings.NewReader(text)
	// The machine does not use the proxies of the user who runs the tests.
	inherited := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasSuffix(strings.ToLower(name), "_proxy")
	})
	cmd.Env = slices.Concat(inherited, m.environment)
	return cmd
}

// node is the node that the vault makes the machine; "" when it is none.
func (m machine) node() string {
	for _, id := range []string{oldNode, newNode} {
		key := map[string]string{oldNode: "OLD", newNode: "NEW"}[id]
		text := m.read("state/Vault/Store/RegistrationKey")
		if strings.Contains(text, id) && strings.Contains(text, key) && strings.HasSuffix(text, "}") && m.has("state/Vault/Manifest") {
			return id
		}
	}
	return ""
}

// isWhole checks that the machine is that node, that its service runs, and that no
// copy of a key is left.
func (m machine) isWhole(node string) {
	m.t.Helper()
	if got := m.node(); got != node {
		m.t.Errorf("the machine is registered as %q, want %q", got, node)
	}
	if !m.has("active") {
		m.t.Error("the service is stopped")
	}
	if node == oldNode && (!strings.Contains(m.read("state/registration"), oldNode) || m.read("state/Vault/Store/InstanceFingerprint") != "fingerprint") {
		m.t.Errorf("not all of the agent's state is as it was: registration is %q", m.read("state/registration"))
	}
	left, err := filepath.Glob(m.path("state/ssm-access-*"))
	m.must(err)
	if len(left) > 0 {
		m.t.Errorf("%v is left", left)
	}
}

func (m machine) path(name string) string { return filepath.Join(m.root, name) }

func (m machine) write(name, text string) {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Dir(m.path(name)), 0o700))
	m.must(os.WriteFile(m.path(name), []byte(text), 0o600))
}

func (m machine) remove(name string) {
	m.t.Helper()
	m.must(os.RemoveAll(m.path(name)))
}

// read is the text of a file; "" when there is none.
func (m machine) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(m.path(name))
	if !errors.Is(err, fs.ErrNotExist) {
		m.must(err)
	}
	return string(text)
}

func (m machine) has(name string) bool {
	_, err := os.Stat(m.path(name))
	return err == nil
}

func (m machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}
