// Package moto runs moto_server, an AWS emulator that is independent of this
// project, for the tests that check whether the operator works with it.
package moto

import (
	"bufio"
	"os/exec"
	"regexp"
	"testing"
)

// AccountID is the account that moto serves.
const AccountID = "123456789012"

// Start runs moto_server on a port of its choice until the test ends. Where it
// is not installed or does not start, the test is skipped with a word.
func Start(t *testing.T) (url string) {
	t.Helper()
	binary, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not installed: not tried against it")
	}
	command := exec.CommandContext(t.Context(), binary, "-H", "127.0.0.1", "-p", "0")
	output, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	listening := regexp.MustCompile(`Running on (http://\S+)`)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { // or moto stops when the pipe is full
				for lines.Scan() {
				}
			}()
			return found[1]
		}
	}
	t.Skip("moto_server does not start here: not tried against it")
	return ""
}
