package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

// playground applies the samples, writes the file to source, prints what to
// try, and returns when the context ends.
func (s *stage) playground(ctx context.Context, directory string) (err error) {
	if err := s.apply(ctx); err != nil {
		return err
	}
	//nolint:contextcheck // The server ends with stop, which lets it finish what it does.
	stop, agents, err := s.serveAgents(filepath.Join(directory, "playground-ca.pem"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	file := filepath.Join(directory, "playground.env")
	// It holds credentials, of nothing but the emulator.
	if err := os.WriteFile(file, []byte(environment(s.env)+agents), 0o600); err != nil {
		return fmt.Errorf("write the environment: %w", err)
	}
	defer os.Remove(file)
	fmt.Fprintf(s.out, playgroundHelp, file, s.logs[0].Name())
	<-ctx.Done()
	fmt.Fprintln(s.out, "Stopping everything.")
	return nil
}

// serveAgents serves the same AWS with TLS, without which the real agent does not connect. It
// writes the certificate to a file, and returns what to add to the environment.
func (s *stage) serveAgents(ca string) (stop func() error, environment string, err error) {
	certificate, err := awsemulator.SelfSigned("localhost", "127.0.0.1", "::1")
	if err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(ca, certificate.CA, 0o644); err != nil {
		return nil, "", fmt.Errorf("write the certificate for agents: %w", err)
	}
	running, err := s.env.Emulator.Start("127.0.0.1:0", certificate)
	if err != nil {
		return nil, "", errors.Join(err, os.Remove(ca))
	}
	path, err := filepath.Abs(ca)
	if err != nil {
		return nil, "", errors.Join(err, running.Stop())
	}
	environment = fmt.Sprintf("export AGENT_ENDPOINT_URL=%s AGENT_SSL_CERT_FILE=%s\n", quote(running.URL), quote(path))
	return func() error { return errors.Join(running.Stop(), os.Remove(ca)) }, environment, nil
}

const playgroundHelp = `Everything runs until you press Ctrl-C. In another shell of the same directory:

  . %s

  kubectl get awsaccount,sessionaccess -A -o wide
  kubectl describe sessionaccess -n team-a user01-pc01
  kubectl edit sessionaccess -n team-a user01-pc01

  bin/aws-emulator connect --as user01 --target i-051cac51072605f39   # a shell; exit leaves it
  kubectl delete sessionaccess -n team-a user01-pc01 --wait=false     # closes it, from a third shell
  as user02 aws ssm start-session --target i-0ee187d8794b12114        # the same with AWS CLI and plugin
  start_session user02 i-051cac51072605f39        # with curl: only whether AWS opens it
  as admin aws iam list-attached-user-policies --user-name user01
  as admin aws ssm describe-sessions --state Active

  echo $AGENT_ENDPOINT_URL $AGENT_SSL_CERT_FILE   # for amazon-ssm-agent: see docs/development.md

  may user01 ssm:ResumeSession arn:aws:ssm:ap-northeast-1:488821267897:session/user01-abc   # how IAM judges, and why
  curl -s $AWS_ENDPOINT_URL/_emulator/calls       # which calls AWS has seen

The operator's log is %s.

`
