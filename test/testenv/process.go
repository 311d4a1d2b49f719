package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ProcessOptions say how StartProcess runs the operator.
type ProcessOptions struct {
	// Binary is the manager's, as BuildManager makes it. Required.
	Binary string
	// Args of the command line.
	Args []string
	// Env is further environment of the process, "NAME=value" each.
	Env []string
	// Credentials of the operator. The zero value: those of the fixture's.
	Credentials aws.Credentials
	// Log receives what it prints. Nil: nothing is kept.
	Log io.Writer
	// MayFail: how it ends is the caller's concern, and no error of Stop's.
	MayFail bool
}

// Process is the operator running as a process of its own.
type Process struct {
	cmd     *exec.Cmd
	guard   *guard
	stop    func() error
	ended   chan struct{}
	mayFail bool
}

// BuildManager builds the operator of the checkout that encloses the current
// directory, as an executable file at path.
func BuildManager(ctx context.Context, path string) error {
	root, err := Checkout(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-C", root, "-o", path, "./cmd/manager")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the manager: %w\n%s", err, out)
	}
	return nil
}

// StartProcess starts the operator as a process of its own and returns at once.
// It gets the cluster and the emulator by the environment, as in production, and
// none of the AWS settings that this process may have. It runs until Stop or
// Kill, until the Env is closed, or until this process ends, however it ends.
func (e *Env) StartProcess(o ProcessOptions) (*Process, error) {
	if o.Credentials.AccessKeyID == "" {
		o.Credentials = e.Operator()
	}
	//nolint:noctx // It is ended by Stop, in order, and not killed with a context.
	cmd := exec.Command(o.Binary, o.Args...)
	// The last one counts.
	cmd.Env = slices.Concat(e.Environ(o.Credentials), []string{"KUBECONFIG=" + e.operatorKubeconfig}, o.Env)
	cmd.Stdout, cmd.Stderr = o.Log, o.Log
	// A group of its own, so that an interrupt typed at a terminal reaches this
	// process alone, which stops that one in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	p := &Process{cmd: cmd, ended: make(chan struct{}), mayFail: o.MayFail}
	p.stop = sync.OnceValue(p.terminate)
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // How it ended is in ProcessState.
	}()
	e.onClose(p.Stop)
	var err error
	if p.guard, err = guardProcess(cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// Environ is the environment for a program that is to find the cluster and the
// emulator: KUBECONFIG, AWS's standard variables with the given credentials, and
// whatever else this process has.
func (e *Env) Environ(credentials aws.Credentials) []string {
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "AWS_") || strings.HasPrefix(entry, "KUBECONFIG=")
	})
	return append(environ,
		"KUBECONFIG="+e.KubeconfigPath,
		"AWS_ENDPOINT_URL="+e.URL,
		// The SDKs read the first, the CLI the second.
		"AWS_REGION="+e.Region, "AWS_DEFAULT_REGION="+e.Region,
		"AWS_ACCESS_KEY_ID="+credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey,
		"AWS_EC2_METADATA_DISABLED=true",
		// Nothing of a developer's own account may be found.
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
}

// Pid is the id of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Pause keeps the process from running, as a machine that hangs does, until Resume.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume continues a paused process.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// ExitCode is what the process ended with, and -1 while it runs or when a signal
// has ended it.
func (p *Process) ExitCode() int {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Stop asks the process to end, as Kubernetes does, and waits until it has. It
// is an error when it failed, or has to be killed. Further calls return the same.
func (p *Process) Stop() error { return p.stop() }

// Kill ends the process without a warning, and waits until it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // It fails when the process has ended already.
	<-p.ended
}

func (p *Process) terminate() error {
	defer p.guard.dismiss()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // As in Kill.
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-p.ended:
	case <-limit.C:
		p.Kill()
		return fmt.Errorf("the manager did not end in %s and was killed", stopLimit)
	}
	if state := p.cmd.ProcessState; !p.mayFail && !state.Success() && !killed(state) {
		return fmt.Errorf("the manager ended with %s", state)
	}
	return nil
}

// killed reports whether Kill ended the process, which is no failure of it.
func killed(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
