package controlplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// managerStarts is how often the controller manager is started when it ends
	// at once: between the search for a free port and its use, another process
	// may take that port.
	managerStarts = 3

	// healthInterval is how often the health of a starting controller manager
	// is read.
	healthInterval = 100 * time.Millisecond
)

// controllerManager is a running kube-controller-manager.
type controllerManager struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// startControllerManager returns when the process reports to be healthy.
func startControllerManager(ctx context.Context, program, kubeconfig string, log *output) (*controllerManager, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var errs []error
	for range managerStarts {
		manager, err := tryControllerManager(ctx, program, kubeconfig, log)
		if err == nil {
			return manager, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("start the controller manager: %w\n%s", errors.Join(errs...), log.tail())
}

func tryControllerManager(ctx context.Context, program, kubeconfig string, log *output) (*controllerManager, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, //nolint:noctx // ctx bounds the start alone
		"--kubeconfig="+kubeconfig,
		"--controllers=namespace-controller,garbage-collector-controller",
		"--leader-elect=false",
		"--bind-address=127.0.0.1", "--secure-port="+port,
		"--authentication-skip-lookup=true",
	)
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own, so that an interrupt typed at a terminal reaches only
	// this process, which stops the controller manager in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	manager := &controllerManager{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(manager.ended)
		_ = cmd.Wait() // how it ended is in its output
	}()
	if err := manager.waitHealthy(ctx, port); err != nil {
		return nil, errors.Join(err, manager.stop())
	}
	return manager, nil
}

// waitHealthy returns nil once the process says that it is healthy, and an
// error when it ends first.
func (m *controllerManager) waitHealthy(ctx context.Context, port string) error {
	// Its certificate is made at start and not known to any client; nothing
	// secret is sent or received.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	url := "https://" + net.JoinHostPort("127.0.0.1", port) + "/healthz"

	return wait.PollUntilContextCancel(ctx, healthInterval, true, func(ctx context.Context) (bool, error) {
		select {
		case <-m.ended:
			return false, fmt.Errorf("%s ended at once: %s", m.cmd.Path, m.cmd.ProcessState)
		default:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false, err
		}
		response, err := client.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

// stop ends the process and waits until it is gone.
func (m *controllerManager) stop() error {
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // fails when it is gone already
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-m.ended:
		return nil
	case <-limit.C:
	}
	err := m.cmd.Process.Kill()
	<-m.ended
	return errors.Join(fmt.Errorf("the controller manager did not end in %s and was killed", stopLimit), err)
}

// freePort returns a TCP port of 127.0.0.1 on which nothing listened just now.
func freePort(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
