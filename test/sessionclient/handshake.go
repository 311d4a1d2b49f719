package sessionclient

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// version is that of the client, as it says in a handshake: one that can all that
// the newest plugin can.
const version = "1.2.764.0"

// Statuses of an action of the handshake.
const (
	succeeded   = 1
	failed      = 2
	unsupported = 3
)

type handshake struct {
	AgentVersion           string
	RequestedClientActions []struct {
		ActionType       string
		ActionParameters json.RawMessage
	}
}

type processed struct {
	ActionType   string
	ActionStatus int
	ActionResult any
	Error        string
}

type handshakeAnswer struct {
	ClientVersion          string
	ProcessedClientActions []processed
	Errors                 []string
}

type sealed struct{ Challenge []byte }

// KeyMaker gets a data key of 64 bytes from KMS, in the clear and encrypted.
type KeyMaker func(ctx context.Context, keyID string, encryptionContext map[string]string) (plain, encrypted []byte, err error)

// answer carries out what the node asks for.
func (s *Session) answer(ctx context.Context, body []byte) ([]byte, error) {
	var asked handshake
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, fmt.Errorf("read the handshake: %w", err)
	}
	out := handshakeAnswer{ClientVersion: version, ProcessedClientActions: []processed{}}
	for _, action := range asked.RequestedClientActions {
		done := processed{ActionType: action.ActionType, ActionStatus: succeeded}
		var err error
		switch action.ActionType {
		case "SessionType":
			err = s.learnType(asked.AgentVersion, action.ActionParameters)
		case "KMSEncryption":
			done.ActionResult, err = s.encrypt(ctx, action.ActionParameters)
		default:
			done.ActionStatus = unsupported
			out.Errors = append(out.Errors, "Unsupported action "+action.ActionType)
		}
		if err != nil {
			done.ActionStatus, done.Error = failed, err.Error()
			out.Errors = append(out.Errors, err.Error())
		}
		out.ProcessedClientActions = append(out.ProcessedClientActions, done)
	}
	return json.Marshal(out)
}

func (s *Session) learnType(agent string, parameters json.RawMessage) error {
	var t struct {
		SessionType string
		Properties  map[string]any
	}
	if err := json.Unmarshal(parameters, &t); err != nil {
		return fmt.Errorf("read the session type: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent, s.kind, s.properties = agent, t.SessionType, t.Properties
	return nil
}

func (s *Session) encrypt(ctx context.Context, parameters json.RawMessage) (any, error) {
	var key struct{ KMSKeyId string } //nolint:revive,staticcheck // The name is AWS's.
	if err := json.Unmarshal(parameters, &key); err != nil {
		return nil, fmt.Errorf("read the key's id: %w", err)
	}
	if s.options.DataKey == nil {
		return nil, fmt.Errorf("the session is encrypted by %s, and this client has no way to KMS", key.KMSKeyId)
	}
	plain, encrypted, err := s.options.DataKey(ctx, key.KMSKeyId, map[string]string{
		"aws:ssm:SessionId": s.options.SessionID, "aws:ssm:TargetId": s.options.Target,
	})
	if err != nil {
		return nil, fmt.Errorf("get a data key: %w", err)
	}
	e, err := channelmessage.NewEncryption(plain)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encryption = e
	return map[string][]byte{"KMSCipherTextKey": encrypted}, nil
}

// meet answers the challenge: it encrypts what the node has encrypted.
func (s *Session) meet(body []byte) ([]byte, error) {
	var c sealed
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("read the challenge: %w", err)
	}
	if s.encryption == nil {
		return nil, channelmessage.ErrCannotDecrypt
	}
	plain, err := s.encryption.Decrypt(c.Challenge)
	if err != nil {
		return nil, err
	}
	return json.Marshal(sealed{s.encryption.Encrypt(plain)})
}
