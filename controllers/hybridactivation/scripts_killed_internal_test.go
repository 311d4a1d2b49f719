package hybridactivation

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The script is killed before each command that it calls, and a second run without
// --replace finds what the first one left.
func TestAKilledRunIsEndedByTheNext(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]string{"registers": "", "is refused": "exit 1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inEveryLayout(t, func(m machine) {
				t := m.t
				// Layouts differ in two names: one of them is enough for every command.
				step := map[string]int{"deb": 1, "rpm": 7, "snap": 8}[m.layout.name]
				kills := 0
				for n := step; ; n += step {
					m.remove("state")
					m.registered().counted().happens("called", then)
					m.write("n", "0\n")
					m.write("kill-at", fmt.Sprintln(n))
					m.remove("killed")
					code, out := m.run("--replace")
					m.remove("kill-at")
					if !m.has("killed") {
						break
					}
					kills++
					if code != -1 && code != 137 {
						t.Fatalf("before %s it ended with code %d: %s", m.read("killed"), code, out)
					}
					if code, out := m.run(); code != 0 {
						t.Errorf("killed before %s, the next run ended with code %d: %s", m.read("killed"), code, out)
					}
					node := m.node()
					if node == "" || (then != "" && node != oldNode) {
						t.Errorf("killed before %s, the machine is registered as %q", m.read("killed"), node)
					}
					m.isWhole(node)
					if t.Failed() {
						t.FailNow()
					}
				}
				if kills < 30/step {
					t.Errorf("the script was killed %d times only", kills)
				}
			})
		})
	}
}

// The agent of a killed script works on, or dies with it.
func TestARunThatIsKilledWhileTheAgentRegistersIsEndedByTheNext(t *testing.T) {
	t.Parallel()
	const killScript = `read -r pid <"$T/pid"; kill -9 "$pid"`
	for _, stage := range stages {
		for how, then := range map[string]string{"works on": killScript, "dies": killScript + "; exit 1"} {
			t.Run(stage+" the agent "+how, func(t *testing.T) {
				t.Parallel()
				inEveryLayout(t, func(m machine) {
					t := m.t
					if code, out := m.registered().happens(stage, then).run("--replace"); code != -1 {
						t.Fatalf("it ended with code %d: %s", code, out)
					}
					m.remove("stage")
					if code, out := m.run(); code != 0 {
						t.Errorf("the next run ended with code %d: %s", code, out)
					}
					if node := m.node(); how == "works on" {
						m.isWhole(newNode)
					} else {
						m.isWhole(map[bool]string{true: newNode, false: oldNode}[node == newNode && (stage == "stored" || stage == "end")])
					}
				})
			})
		}
	}
}

// The service may have run between the killed run and the next, after a reboot.
func TestAKeyThatTheAgentRenewedAfterAKilledRunIsKept(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		if code, out := m.registered().happens("start", `read -r pid <"$T/pid"; kill -9 "$pid"; exit 1`).run("--replace"); code != -1 {
			t.Fatalf("it ended with code %d: %s", code, out)
		}
		m.write("state/Vault/Store/RegistrationKey", registrationKey(oldNode, m.r.Region, "OLD and renewed"))
		if code, out := m.run(); code != 0 {
			t.Errorf("the next run ended with code %d: %s", code, out)
		}
		m.isWhole(oldNode)
		if !strings.Contains(m.read("state/Vault/Store/RegistrationKey"), "OLD and renewed") {
			t.Error("the key of before was restored, which AWS does not take any more")
		}
	})
}

func TestARestoreThatIsKilledIsEndedByTheNext(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		step := map[string]int{"deb": 2, "rpm": 5, "snap": 7}[m.layout.name]
		for n := step; ; n += step {
			m.remove("state")
			m.remove("killed")
			m.registered().counted().happens("wiped", `read -r pid <"$T/pid"; kill -9 "$pid"; exit 1`)
			if code, out := m.run("--replace"); code != -1 {
				t.Fatalf("it ended with code %d: %s", code, out)
			}
			m.write("n", "0\n")
			m.write("kill-at", fmt.Sprintln(n))
			m.run()
			m.remove("kill-at")
			if code, out := m.run(); code != 0 {
				t.Errorf("killed twice, at last before %s: code %d: %s", m.read("killed"), code, out)
			}
			m.isWhole(oldNode)
			if !m.has("killed") || t.Failed() {
				break
			}
		}
	})
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		m.registered().happens("wiped", `echo >"$T/waits"; read -r word <"$T/gate"`)
		m.must(syscall.Mkfifo(m.path("waits"), 0o600))
		m.must(syscall.Mkfifo(m.path("gate"), 0o600))
		first := m.start(t.Context(), m.script(), "--replace")
		m.must(first.Start())
		m.read("waits")
		for _, arguments := range [][]string{nil, {"--replace"}} {
			if code, out := m.run(arguments...); code != 5 {
				t.Errorf("another run ended with code %d: %s", code, out)
			}
		}
		m.write("gate", "go\n")
		m.must(first.Wait())
		m.isWhole(newNode)
	})
}

func TestTheAgentOfAKilledRunKeepsTheNextOut(t *testing.T) {
	t.Parallel()
	inEveryLayout(t, func(m machine) {
		t := m.t
		m.registered().happens("wiped", `read -r pid <"$T/pid"; kill -9 "$pid"; read -r word <"$T/gate"; echo >"$T/over"; exit 1`)
		m.must(syscall.Mkfifo(m.path("gate"), 0o600))
		m.must(syscall.Mkfifo(m.path("over"), 0o600))
		// With files for its output the shell is not waited for longer than it lives.
		first := m.start(t.Context(), m.script(), "--replace")
		first.Stdin = nil
		m.write("script", m.script())
		in, err := os.Open(m.path("script"))
		m.must(err)
		defer in.Close()
		first.Stdin = in
		if err := first.Run(); err == nil {
			t.Fatal("the first run was not killed")
		}
		if code, out := m.run(); code != 5 {
			t.Errorf("another run ended with code %d: %s", code, out)
		}
		m.write("gate", "go\n")
		m.read("over")
		m.untilUnlocked()
		if code, out := m.run(); code != 0 {
			t.Errorf("the run afterwards ended with code %d: %s", code, out)
		}
		m.isWhole(oldNode)
	})
}

// untilUnlocked waits until the last process that holds the lock has ended.
func (m machine) untilUnlocked() {
	m.t.Helper()
	lock, err := os.Open(m.path("run/lock"))
	m.must(err)
	defer lock.Close()
	m.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
}

// A machine has the package and the snap, and the service of one of them ran.
func TestTheNextRunStartsTheServiceThatAKilledRunStopped(t *testing.T) {
	t.Parallel()
	for _, ran := range layouts[1:] {
		m := newMachine(t, ran).registered()
		for _, l := range layouts {
			if l.agent != ran.agent {
				m.command(l.agent, "agent", "exit 99")
			}
		}
		if code, out := m.happens("wiped", `read -r pid <"$T/pid"; kill -9 "$pid"; exit 1`).run("--replace"); code != -1 {
			t.Fatalf("%s: it ended with code %d: %s", ran.name, code, out)
		}
		m.remove("stage")
		if code, out := m.run(); code != 0 {
			t.Errorf("%s: the next run ended with code %d: %s", ran.name, code, out)
		}
		m.isWhole(oldNode)
	}
}
