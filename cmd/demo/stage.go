package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/nodeagent"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// stage is everything that runs, and the output that shows it.
type stage struct {
	out io.Writer
	env *testenv.Env
	// operator is the manager's process.
	operator *testenv.Process
	// agent is that of the machine that is no EC2 instance, nil before it registers.
	agent  *nodeagent.Agent
	logs   []*os.File
	logged string // what the logs are of, and where
}

// setStage starts the control plane, the emulator and the operator.
func setStage(ctx context.Context, o options, out io.Writer) (*stage, error) {
	manager, err := filepath.Abs(o.manager)
	if err != nil {
		return nil, fmt.Errorf("find the operator's binary: %w", err)
	}
	if _, err := os.Stat(manager); err != nil {
		return nil, fmt.Errorf("there is no binary of the operator, build it with \"make build\": %w", err)
	}
	s := &stage{out: out}
	started := time.Now()
	s.say("Starting a Kubernetes API server, an emulated AWS that judges every call by its caller's IAM policies, and the operator.")
	if err := s.start(ctx, manager, o.directory); err != nil {
		return nil, s.strike(err)
	}
	s.say("They run, after %s.", time.Since(started).Round(100*time.Millisecond))
	return s, nil
}

// tierTime is how long the emulator takes to change the instances tier, for
// which AWS takes minutes, or half an hour.
const tierTime = 2 * time.Second

// resync is how often the operator looks at AWS, for which minutes are usual.
const resync = 5 * time.Second

func (s *stage) start(ctx context.Context, manager, directory string) error {
	managerLog, err := s.log(directory, "demo-manager.log")
	if err != nil {
		return err
	}
	planeLog, err := s.log(directory, "demo-controlplane.log")
	if err != nil {
		return err
	}
	s.logged = fmt.Sprintf("The operator's log is %s, the control plane's %s.", managerLog.Name(), planeLog.Name())
	aws := fixtures.S7()
	aws.AddMachines(fixtures.S1())
	s.env, err = testenv.Start(ctx, testenv.Options{ClusterOptions: testenv.ClusterOptions{Log: planeLog}, Fixture: aws})
	if err != nil {
		return err
	}
	s.env.Emulator.SetTierTimes(ssm.TierTimes{Up: tierTime, Down: tierTime})
	s.operator, err = s.env.StartProcess(testenv.ProcessOptions{Binary: manager, Args: []string{"--log-format=console", "--resync-interval=" + resync.String()}, Log: managerLog})
	return err
}

// errOperatorEnded ends whatever waits for the operator.
var errOperatorEnded = errors.New("the operator ended by itself; its log says why")

// whileOperatorRuns does something that is broken off when the operator ends.
func (s *stage) whileOperatorRuns(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.operator.Ended():
			cancel(errOperatorEnded)
		case <-ctx.Done():
		}
	}()
	err := do(ctx)
	if errors.Is(context.Cause(ctx), errOperatorEnded) {
		return errOperatorEnded
	}
	return err
}

func (s *stage) log(directory, name string) (*os.File, error) {
	// Appending keeps the log legible when another demo starts a new one.
	file, err := os.OpenFile(filepath.Join(directory, name), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	s.logs = append(s.logs, file)
	return file, nil
}

// strike stops everything. Where there was an error it returns that one, with
// where to look for more.
func (s *stage) strike(err error) error {
	if s.agent != nil {
		s.agent.Stop()
	}
	if s.env != nil {
		err = errors.Join(err, s.env.Close())
	}
	for _, log := range s.logs {
		err = errors.Join(err, log.Close())
	}
	if err != nil && s.logged != "" {
		return fmt.Errorf("%w\n%s", err, s.logged)
	}
	return err
}

// say prints a paragraph.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.out, format+"\n\n", args...)
}
