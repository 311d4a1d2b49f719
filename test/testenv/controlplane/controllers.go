package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// controllers is the running process of hack/controlplane/cluster-controllers.
type controllers struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// startControllers returns when both controllers work.
func startControllers(ctx context.Context, program, kubeconfig string, log *output) (*controllers, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready := &readyLine{log: log, seen: make(chan struct{})}
	cmd := exec.Command(program, "--kubeconfig="+kubeconfig) //nolint:noctx // ctx bounds the start alone
	cmd.Stdout, cmd.Stderr = ready, log
	// A group of its own, so that an interrupt typed at a terminal reaches only
	// this process, which stops the controllers in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the controllers: %w", err)
	}
	c := &controllers{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // how it ended is in its output
	}()
	select {
	case <-ready.seen:
		return c, nil
	case <-c.ended:
		return nil, fmt.Errorf("start the controllers: %s ended with %s\n%s", program, cmd.ProcessState, log.tail())
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("start the controllers: %w\n%s", ctx.Err(), log.tail()), c.stop())
	}
}

// stop ends the process and waits until it is gone.
func (c *controllers) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails when it is gone already
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-c.ended:
		return nil
	case <-limit.C:
	}
	err := c.cmd.Process.Kill()
	<-c.ended
	return errors.Join(fmt.Errorf("the controllers did not end in %s and were killed", stopLimit), err)
}

// readyLine passes everything on to log, and closes seen at the first complete
// line: the controllers print one on standard output when they work.
type readyLine struct {
	log  io.Writer
	once sync.Once
	seen chan struct{}
}

func (r *readyLine) Write(p []byte) (int, error) {
	if bytes.IndexByte(p, '\n') >= 0 {
		r.once.Do(func() { close(r.seen) })
	}
	return r.log.Write(p)
}
