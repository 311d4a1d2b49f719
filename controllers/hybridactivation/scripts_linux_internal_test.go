package hybridactivation

import (
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inEveryLayout runs a test on a machine of every layout.
func inEveryLayout(t *testing.T, test func(machine)) {
	t.Helper()
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			test(newMachine(t, l))
		})
	}
}

func TestAMachineRegistersAndPrintsItsNode(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		code, out := m.run()
		if code != 0 || !strings.Contains(out, newNode) {
			t.Errorf("it ended with code %d: %s", code, out)
		}
		m.isWhole(newNode)
		want := "-register\n-y\n-code\n" + m.r.Code.Reveal() + "\n-id\n" + m.r.ID + "\n-region\n" + m.r.Region + "\n"
		if got := m.read("arguments"); got != want {
			t.Errorf("the agent was called with %q", got)
		}
	})
}

func TestEveryShellRunsTheLinuxScript(t *testing.T) {
	t.Parallel()
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("%s is not installed", shell[0])
			}
			if os.Getuid() != 0 && shell[0] == "busybox" {
				t.Skip("busybox has an id of its own, and this user is not root")
			}
			for _, l := range layouts {
				m := newMachine(t, l)
				m.shell = shell
				m.write("environment", `Environment="https_proxy=http://user:it's \$(touch x) \"p\"@proxy:3128" A=b no_proxy=localhost`+"\n")
				if code, out := m.run(); code != 0 {
					t.Fatalf("it ended with code %d: %s", code, out)
				}
				if got := m.read("proxy"); got != "https_proxy=http://user:it's $(touch x) \"p\"@proxy:3128\nno_proxy=localhost\n" {
					t.Errorf("the agent got the settings %q", got)
				}
				m.isWhole(newNode)
				m = newMachine(t, l).registered().happens("wiped", "exit 1")
				m.shell = shell
				if code, out := m.run("--replace"); code != 6 {
					t.Errorf("it ended with code %d: %s", code, out)
				}
				m.isWhole(oldNode)
			}
		})
	}
}

func TestARegisteredMachineStaysAsItIs(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		m.registered()
		// The file registration names another node, as after many a run.
		m.write("state/registration", `{"ManagedInstanceID":"`+newNode+`"}`)
		for range 2 {
			code, out := m.run()
			if code != 0 || !strings.Contains(out, "registered as "+oldNode+" already") || strings.Contains(out, newNode) {
				t.Errorf("it ended with code %d: %s", code, out)
			}
		}
		if m.has("arguments") || strings.Contains(m.read("systemctl.log"), "stop") {
			t.Errorf("the agent was disturbed: %s", m.read("systemctl.log"))
		}
		m.remove("active")
		if code, out := m.run(); code != 0 || !m.has("active") {
			t.Errorf("with its service stopped it ended with code %d: %s", code, out)
		}
		if m.node() != oldNode {
			t.Error("it is another node")
		}
	})
}

func TestAMachineBecomesAnotherNodeWhenAsked(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		code, out := m.registered().run("--replace")
		if code != 0 || !strings.Contains(out, oldNode) || !strings.Contains(out, newNode) {
			t.Errorf("it ended with code %d: %s", code, out)
		}
		m.isWhole(newNode)
	})
}

func TestAFailedRegistrationLeavesTheMachineAsItWas(t *testing.T) {
	t.Parallel()
	for _, stage := range stages {
		for how, then := range map[string]string{"exits": "exit 1", "is killed": "kill -9 $$"} {
			if how == "is killed" && stage != "wiped" {
				continue // To the script it is the same as an exit.
			}
			t.Run(stage+" "+how, func(t *testing.T) {
				t.Parallel()
				inEveryLayout(t, func(m machine) {
					t := m.t
					code, out := m.registered().happens(stage, then).run("--replace")
					if code != 6 || !strings.Contains(out, oldNode) {
						t.Errorf("it ended with code %d: %s", code, out)
					}
					m.isWhole(oldNode)
				})
			})
		}
	}
}

func TestAnAgentThatClaimsSuccessIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, stage := range stages[:4] {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			inEveryLayout(t, func(m machine) {
				t := m.t
				if code, out := m.registered().happens(stage, "exit 0").run("--replace"); code != 6 {
					t.Errorf("it ended with code %d: %s", code, out)
				}
				m.isWhole(oldNode)
			})
		})
	}
}

func TestAMachineThatWasNoNodeIsAsItWasAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, stage := range stages {
		for _, ran := range []bool{true, false} {
			if !ran && stage != "wiped" && stage != "end" {
				continue
			}
			t.Run(fmt.Sprint(stage, " service ran ", ran), func(t *testing.T) {
				t.Parallel()
				inEveryLayout(t, func(m machine) {
					t := m.t
					if m.happens(stage, "exit 1"); ran {
						m.write("active", m.layout.service)
					}
					if code, out := m.run(); code != 6 {
						t.Errorf("it ended with code %d: %s", code, out)
					}
					if m.node() != "" || m.has("state/Vault") || m.has("state/registration") || m.has("active") != ran {
						t.Errorf("node %q, the service runs: %t", m.node(), m.has("active"))
					}
				})
			})
		}
	}
}

func TestASignalLeavesTheMachineAsItWas(t *testing.T) {
	t.Parallel()
	// Where this process was started without them, the script could not trap them.
	trapped := make(chan os.Signal, 1)
	ossignal.Notify(trapped, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	t.Cleanup(func() { ossignal.Stop(trapped) })
	for signal, want := range map[string]int{"HUP": 129, "INT": 130, "QUIT": 131, "TERM": 143} {
		for _, stage := range stages {
			if signal != "TERM" && stage != "wiped" {
				continue
			}
			t.Run(signal+" "+stage, func(t *testing.T) {
				t.Parallel()
				inEveryLayout(t, func(m machine) {
					t := m.t
					code, out := m.registered().happens(stage, `read -r pid <"$T/pid"; kill -`+signal+` "$pid"`).run("--replace")
					if code != want {
						t.Errorf("it ended with code %d: %s", code, out)
					}
					m.isWhole(oldNode)
				})
			})
		}
	}
}

func TestOutcomesHaveTheirExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(machine)
		code    int
		says    string
		// active: whether the service runs at the end.
		active bool
	}{
		"not root":                   {func(m machine) { m.write("not-root", "") }, 3, "as root", true},
		"no agent":                   {func(m machine) { m.remove(m.layout.agent) }, 4, "Install amazon-ssm-agent", true},
		"no node answers":            {func(m machine) { m.write("mute", "") }, 7, newNode, true},
		"the service does not stop":  {func(m machine) { m.write("stop-fails", "") }, 8, "could not be stopped", true},
		"the service does not start": {func(m machine) { m.write("start-fails", strings.Repeat("x", 99)) }, 8, "does not start", false},
		"the service starts late":    {func(m machine) { m.write("start-fails", "xx") }, 0, newNode, true},
		"nothing can be copied":      {func(m machine) { m.command("bin/cp", "cp", "exit 1") }, 9, "could not be copied", true},
		"the vault is a link": {func(m machine) {
			m.must(os.Rename(m.path("state/Vault"), m.path("elsewhere")))
			m.must(os.Symlink(m.path("elsewhere"), m.path("state/Vault")))
		}, 9, "symbolic link", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inEveryLayout(t, func(m machine) {
				t := m.t
				c.prepare(m.registered())
				code, out := m.run("--replace")
				if code != c.code || !strings.Contains(out, c.says) {
					t.Errorf("it ended with code %d: %s", code, out)
				}
				if m.node() == "" || m.has("active") != c.active {
					t.Errorf("the machine is registered as %q, and its service runs: %t", m.node(), m.has("active"))
				}
			})
		})
	}
}

func TestUnknownArgumentsChangeNothing(t *testing.T) {
	m := newMachine(t, layouts[0]).registered()
	for _, argument := range []string{"--force", "", "$(id)", "--replace=yes"} {
		if code, out := m.run("--replace", argument); code != 2 || !strings.Contains(out, "--replace") {
			t.Errorf("%q: it ended with code %d: %s", argument, code, out)
		}
	}
	if m.has("systemctl.log") || m.node() != oldNode {
		t.Error("something was changed")
	}
}

func TestAStateThatCannotBeRestoredKeepsItsCopyForTheNextRun(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		m.registered().happens("wiped", "exit 1")
		mv, err := exec.LookPath("mv")
		m.must(err)
		m.command("bin/mv", "mv", `for to; do :; done; [ "$to" != "$T/state/Vault" ] || exit 1; exec `+mv+` "$@"`)
		for range 2 {
			code, out := m.run("--replace")
			if code != 10 || !strings.Contains(out, "ssm-access-backup") || !m.has("state/ssm-access-backup/Vault") {
				t.Errorf("it ended with code %d: %s", code, out)
			}
		}
		m.remove("bin/mv")
		if code, out := m.run(); code != 0 {
			t.Errorf("the next run ended with code %d: %s", code, out)
		}
		m.isWhole(oldNode)
	})
}

func TestTheCopyOfTheVaultIsForRootAlone(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		m.registered()
		m.must(os.Chmod(m.path("state/Vault"), 0o755))
		m.must(os.Chmod(m.path("state/registration"), 0o644))
		if code, out := m.run("--replace"); code != 0 {
			t.Fatalf("it ended with code %d: %s", code, out)
		}
		lines := strings.Split(strings.TrimSpace(m.read("modes")), "\n")
		if len(lines) < 8 {
			t.Fatalf("the copy is %q", lines)
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, "700 d ") && !strings.HasPrefix(line, "600 f ") {
				t.Errorf("the copy has %q", line)
			}
		}
	})
}

func TestAScriptOfWhichThereIsAPartDoesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t, layouts[0]).registered()
	whole := m.script()
	for end := range len(whole) - len(" </dev/null; exit\n") {
		if whole[end] != '\n' && end%997 != 0 {
			continue
		}
		m.runText(whole[:end], "--replace") // How it ends is the shell's.
	}
	if m.has("systemctl.log") || m.has("arguments") || m.node() != oldNode {
		t.Errorf("a part of the script has worked: %s", m.read("systemctl.log"))
	}
}

func TestAScriptWhoseOutputIsReadByNobodyWorksToTheEnd(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		read, write, err := os.Pipe()
		m.must(err)
		m.must(read.Close())
		cmd := m.registered().start(t.Context(), m.script(), "--replace")
		cmd.Stdout, cmd.Stderr = write, write
		if err := cmd.Run(); err != nil {
			t.Errorf("it ended with %v", err)
		}
		m.must(write.Close())
		m.isWhole(newNode)
	})
}

func TestTheAgentWhoseServiceRunsIsChosen(t *testing.T) {
	for _, runs := range layouts[1:] {
		m := newMachine(t, runs).registered()
		for _, l := range layouts {
			if l.agent != runs.agent {
				m.command(l.agent, "agent", "exit 99")
			}
		}
		if code, out := m.run("--replace"); code != 0 {
			t.Errorf("%s: it ended with code %d: %s", runs.name, code, out)
		}
		m.isWhole(newNode)
	}
}

func TestTheLinuxScriptPassesShellCheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	cmd := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "-")
	cmd.Stdin = strings.NewReader(linuxScript(newMachine(t, layouts[0]).r))
	cmd.WaitDelay = time.Minute
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
