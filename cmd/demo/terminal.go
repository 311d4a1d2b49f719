package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

// terminal is a session in which a user works.
type terminal struct {
	id      string
	session *sessionclient.Session
	lines   *bufio.Reader
	out     io.Writer
}

// openTerminal opens a session and connects to it.
func (s *stage) openTerminal(ctx context.Context, of session) (*terminal, error) {
	cfg := s.env.AWSConfig(s.env.Credentials(of.user))
	o, err := sessionclient.Start(ctx, cfg, &ssm.StartSessionInput{Target: aws.String(nodeIDs[of.node])})
	if err != nil {
		return nil, fmt.Errorf("open a session as %s on %s: %w", of.user, of.node, err)
	}
	connected, err := sessionclient.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("connect to the session of %s: %w", of.user, err)
	}
	return &terminal{o.SessionID, connected, bufio.NewReader(connected), s.out}, nil
}

// show types a command and shows it with the line that it prints.
func (t *terminal) show(ctx context.Context, command string) error {
	stop := context.AfterFunc(ctx, func() { _ = t.session.Close() })
	defer stop()
	if _, err := io.WriteString(t.session, command+"\r"); err != nil {
		return fmt.Errorf("type %s: %w", command, err)
	}
	for range 2 {
		line, err := t.lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("read what %s prints: %w", command, err)
		}
		fmt.Fprintln(t.out, strings.TrimRight(line, "\r\n"))
	}
	return nil
}

// lastLine shows what the client says when AWS has closed the session.
func (t *terminal) lastLine(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	select {
	case <-t.session.Done():
	case <-limited.Done():
		return fmt.Errorf("wait for the session %s to be closed: %w", t.id, limited.Err())
	}
	if _, closed := t.session.Closed(); !closed {
		return errors.New("the connection of the session was lost, and AWS did not close it")
	}
	fmt.Fprintf(t.out, "Exiting session with sessionId: %s.\n\n", t.id)
	return nil
}

func (t *terminal) close() { _ = t.session.Close() } // Its error is that of a closed connection.
