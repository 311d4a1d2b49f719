package testenv

import (
	"os/exec"
	"syscall"
	"testing"
)

// bystander starts a process that ends only when its input closes or a signal
// kills it.
func bystander(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/cat")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestGuardKillsWhenOurProcessEnds(t *testing.T) {
	process := bystander(t)
	g, err := guardProcess(process.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	// The end of the test process closes its side of the pipe.
	if err := g.lifeline.Close(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // The next lines check how it ended.
	if !killed(process.ProcessState) {
		t.Errorf("the process ended with %s, want it killed", process.ProcessState)
	}
	_ = g.cmd.Wait() // Its exit code is the kill's.
}

func TestDismissedGuardLeavesTheProcessAlone(t *testing.T) {
	process := bystander(t)
	g, err := guardProcess(process.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	g.dismiss()
	if err := process.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the process is gone: %v", err)
	}
	_ = process.Process.Kill() // It is alive, as has been seen.
	_ = process.Wait()         // It was killed.
}
