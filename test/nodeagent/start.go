package nodeagent

import (
	"encoding/json"
	"errors"
	"fmt"
)

// start is what the service sends of a session.
type start struct {
	SessionId       string //nolint:revive,staticcheck // The name is AWS's.
	DocumentContent struct {
		SessionType string `json:"sessionType"`
		Inputs      struct {
			KMSKeyId string `json:"kmsKeyId"` //nolint:revive,staticcheck // The name is AWS's.
		} `json:"inputs"`
		Properties json.RawMessage `json:"properties"`
	}
}

var errNoSession = errors.New("the service names no session")

// readStart reads the message that starts a session: JSON in text in JSON.
func readStart(body []byte) (start, error) {
	var outer struct{ Content string }
	if err := json.Unmarshal(body, &outer); err != nil {
		return start{}, fmt.Errorf("read the start of a session: %w", err)
	}
	var s start
	if err := json.Unmarshal([]byte(outer.Content), &s); err != nil {
		return start{}, fmt.Errorf("read the start of a session: %w", err)
	}
	if s.SessionId == "" {
		return start{}, errNoSession
	}
	return s, nil
}

// shell is the type of a session that shows its output at once.
const shell = "Standard_Stream"

// command is what the session runs, empty for a shell.
func (s start) command() (string, error) {
	switch s.DocumentContent.SessionType {
	case shell, "":
		return "", nil
	case "InteractiveCommands", "NonInteractiveCommands":
		var properties struct {
			Linux struct {
				Commands string `json:"commands"`
			} `json:"linux"`
		}
		if err := json.Unmarshal(s.DocumentContent.Properties, &properties); err != nil {
			return "", fmt.Errorf("read the command of a session: %w", err)
		}
		return properties.Linux.Commands, nil
	}
	return "", fmt.Errorf("this agent runs no sessions of type %s", s.DocumentContent.SessionType)
}
