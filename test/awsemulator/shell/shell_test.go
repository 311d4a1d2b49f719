package shell_test

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/shell"
)

// show types and returns all output that there is then.
func show(s *shell.Shell, typed string) string {
	s.Input([]byte(typed))
	var out strings.Builder
	for {
		b := s.Output(64)
		if len(b) == 0 {
			return out.String()
		}
		out.Write(b)
	}
}

func TestTerminalShowsWhatIsTypedAndPrinted(t *testing.T) {
	for typed, want := range map[string]string{
		"":                    "$ ",
		"\r":                  "$ \r\n$ ",
		"echo a  b\r":         "$ echo a  b\r\na b\r\n$ ",
		"echo x\n":            "$ echo x\r\nx\r\n$ ",
		"whoami\r":            "$ whoami\r\nssm-user\r\n$ ",
		"hostname\r":          "$ hostname\r\nPC01\r\n$ ",
		"seq 3\r":             "$ seq 3\r\n1\r\n2\r\n3\r\n$ ",
		"seq 0\r":             "$ seq 0\r\n$ ",
		"seq x\r":             "$ seq x\r\nseq: invalid argument: x\r\n$ ",
		"ex\x7f\x7fls\r":      "$ ex\b \b\b \bls\r\nsh: ls: command not found\r\n$ ",
		"half\x03":            "$ half^C\r\n$ ",
		"seq 2\recho after\r": "$ seq 2\r\n1\r\n2\r\n$ echo after\r\nafter\r\n$ ",
		"exit\r":              "$ exit\r\n",
		"\x04":                "$ ",
		"exit\recho no\r":     "$ exit\r\n",
	} {
		s := shell.New(shell.Options{User: "ssm-user", Host: "PC01"})
		if got := show(s, typed); got != want {
			t.Errorf("%q shows %q, want %q", typed, got, want)
		}
		if ends := strings.HasPrefix(typed, "exit") || typed == "\x04"; s.Ended() != ends {
			t.Errorf("after %q the shell has ended: %t", typed, s.Ended())
		}
	}
}

func TestCommandEndsTheShellThatRunsIt(t *testing.T) {
	s := shell.New(shell.Options{Command: "echo once"})
	if got := show(s, ""); got != "once\r\n" || !s.Ended() {
		t.Errorf("it shows %q, and has ended: %t", got, s.Ended())
	}
}

func TestInputWaitsWithoutBoundNowhere(t *testing.T) {
	s := shell.New(shell.Options{})
	s.Input([]byte("seq 1000000\r"))
	for range 1000 {
		if s.Full() {
			return
		}
		s.Input(make([]byte, 1000))
	}
	t.Error("the shell takes any amount of input while a command runs")
}

func FuzzShellTakesAnything(f *testing.F) {
	f.Add([]byte("seq 10\r\x03echo \x7f\r"), uint8(3))
	f.Fuzz(func(t *testing.T, typed []byte, limit uint8) {
		s := shell.New(shell.Options{User: "u"})
		s.Input(typed)
		for range 200 {
			if out := s.Output(int(limit%64) + 16); len(out) > int(limit%64)+16 {
				t.Fatalf("%d bytes are more than was asked for", len(out))
			}
		}
	})
}
