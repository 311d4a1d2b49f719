package testenv

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// guardScript waits for the end of its input, which is the end of the process
// that holds the other side, and then kills process $1.
const guardScript = `cat >/dev/null; kill -KILL "$1"`

// guard is a process that ends another when this process ends without having
// stopped it, by a panic or a kill for instance.
type guard struct {
	cmd      *exec.Cmd
	lifeline io.Closer
}

func guardProcess(pid int) (*guard, error) {
	//nolint:noctx // Its end is the end of our process, not of a context.
	cmd := exec.Command("/bin/sh", "-c", guardScript, "manager-guard", strconv.Itoa(pid))
	// Out of reach of an interrupt typed at the terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("guard process %d: %w", pid, err)
	}
	return &guard{cmd: cmd, lifeline: lifeline}, nil
}

// dismiss ends the guard once the other process has ended.
func (g *guard) dismiss() {
	if g == nil {
		return
	}
	_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) // It has nothing left to do, nor has its cat.
	_ = g.lifeline.Close()
	_ = g.cmd.Wait() // It was killed.
}
