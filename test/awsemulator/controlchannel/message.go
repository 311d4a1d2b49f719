package controlchannel

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/datachannel"
)

// The message types of the control channel.
const (
	typeStart       = "interactive_shell"
	typeComplete    = "agent_task_complete"
	typeAcknowledge = "agent_task_acknowledge"
)

// succeeded is the status of a session that ended by itself.
const succeeded = "Success"

// Start is what a node needs to run a session.
type Start struct {
	DocumentName    string
	DocumentContent any
	SessionId       string //nolint:revive,staticcheck // The name is AWS's.
	Parameters      map[string]any
	RunAsUser       string
	SessionOwner    string
}

// task carries a start: as text in JSON, which is how AWS sends it.
type task struct {
	Content       string
	TaskId        string //nolint:revive,staticcheck // The name is AWS's.
	Topic         string
	SchemaVersion int
}

// complete is what an agent says at the end of a session.
type complete struct {
	TaskId          string //nolint:revive,staticcheck // The name is AWS's.
	Topic           string
	FinalTaskStatus string
	Output          string
}

// reason is why a session ended, empty for an ordinary end.
func (c complete) reason() string {
	if c.FinalTaskStatus == succeeded {
		return ""
	}
	return c.Output
}

type acknowledgement struct {
	SchemaVersion int
	MessageId     string //nolint:revive,staticcheck // The names are AWS's.
	TaskId        string //nolint:revive,staticcheck // The names are AWS's.
	Topic         string
}

func (s Start) frame(now time.Time) []byte {
	return frame(typeStart, now, task{Content: string(mustJSON(s)), TaskId: s.SessionId, Topic: "aws.ssm.startSession", SchemaVersion: 1})
}

// completion reads a message that says that a session has ended, and makes the answer to it.
func completion(raw []byte, now time.Time) (done complete, answer []byte, ok bool) {
	f, err := datachannel.Parse(raw)
	if err != nil || f.Type != typeComplete || json.Unmarshal(f.Payload, &done) != nil || done.TaskId == "" {
		return complete{}, nil, false
	}
	return done, frame(typeAcknowledge, now, acknowledgement{1, f.ID.String(), done.TaskId, done.Topic}), true
}

func frame(kind string, now time.Time, content any) []byte {
	return datachannel.Frame{Type: kind, Schema: 1, Created: now, ID: uuid.New(), Payload: mustJSON(content)}.Marshal()
}

// mustJSON writes what can always be written: content of a document that was read from
// JSON or YAML, and text.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
