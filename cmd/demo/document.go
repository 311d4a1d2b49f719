package main

import (
	"context"
	"errors"
)

// What the sample in config/samples/s4 declares.
const (
	documentSamples = "config/samples/s4"
	document        = "SessionManager-Logged"
)

// playDocument shows a session document that is declared, and an access that
// allows it alone.
func (s *stage) playDocument(ctx context.Context) error {
	s.say("A session document logs what users do in a session. One is declared, and a SessionAccess that allows user01 this document alone.")
	if err := s.kubectl(ctx, "apply", "-k", documentSamples); err != nil {
		return err
	}
	err := s.kubectl(ctx, "wait", "--for=condition=Ready", "sessiondocument/session-manager", "sessionaccess/user01-pc01-logged", "-n", namespace, "--timeout=60s")
	if err := errors.Join(err, s.kubectl(ctx, "get", "sessiondocument", "-n", namespace)); err != nil {
		return err
	}
	s.say("A session opens with the document, and not without it:")
	return s.attempts(ctx,
		attempt{user: "user01", node: "PC01", id: nodeIDs["PC01"], document: document, want: opens},
		attempt{user: "user01", node: "PC01", id: nodeIDs["PC01"], want: denied},
		attempt{user: "user02", node: "PC02", id: nodeIDs["PC02"], document: document, want: denied},
	)
}
