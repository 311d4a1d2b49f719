package nodeagent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

var errShakeTime = errors.New("the handshake takes too long; is there a client?")

// shake is the handshake of a session, and the encryption on which the sides agree in it. A
// session without any has a nil one.
type shake struct {
	start
	began      time.Time
	version    string
	decryptKey func(encrypted []byte) ([]byte, error)
	encryption *channelmessage.Encryption
	challenge  []byte
}

func newShake(ctx context.Context, a *Agent, s start) *shake {
	return &shake{start: s, began: time.Now(), version: a.options.Version, decryptKey: func(encrypted []byte) ([]byte, error) {
		client := kms.NewFromConfig(aws.Config{
			Region: a.options.Region, BaseEndpoint: aws.String(a.options.Endpoint), HTTPClient: a.options.client(), Credentials: a,
		})
		out, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: encrypted, EncryptionContext: map[string]string{
			"aws:ssm:SessionId": s.SessionId, "aws:ssm:TargetId": a.identity.Node,
		}})
		if err != nil {
			return nil, err
		}
		return out.Plaintext, nil
	}}
}

func (h *shake) key() string { return h.DocumentContent.Inputs.KMSKeyId }

func (h *shake) overdue(now time.Time) bool { return now.Sub(h.began) > shakeTime }

type action struct {
	ActionType       string
	ActionParameters any
}

// request is what the agent asks the client to do.
func (h *shake) request() []byte {
	actions := []action{{"SessionType", map[string]any{"SessionType": h.DocumentContent.SessionType, "Properties": h.DocumentContent.Properties}}}
	if h.key() != "" {
		actions = append(actions, action{"KMSEncryption", map[string]any{"KMSKeyId": h.key()}})
	}
	return mustJSON(map[string]any{"AgentVersion": h.version, "RequestedClientActions": actions})
}

// take takes an answer of the client and returns what to send. Other messages come too
// early, and are dropped.
func (h *shake) take(m channelmessage.Message) (content uint32, body []byte, err error) {
	switch {
	case m.Content == channelmessage.ContentHandshakeAnswer && h.challenge == nil:
		return h.answered(m.Body)
	case m.Content == channelmessage.ContentChallengeAnswer && h.challenge != nil:
		var answer struct{ Challenge []byte }
		if err := json.Unmarshal(m.Body, &answer); err != nil {
			return 0, nil, fmt.Errorf("read the answer to the challenge: %w", err)
		}
		plain, err := h.encryption.Decrypt(answer.Challenge)
		if err != nil || !bytes.Equal(plain, h.challenge) {
			return 0, nil, errors.New("the client does not have the key of the session")
		}
		content, body = h.finished()
		return content, body, nil
	}
	return 0, nil, nil
}

func (h *shake) answered(body []byte) (uint32, []byte, error) {
	var answer struct {
		ProcessedClientActions []struct {
			ActionType   string
			ActionStatus int
			ActionResult json.RawMessage
			Error        string
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, nil, fmt.Errorf("read the answer to the handshake: %w", err)
	}
	var encrypted struct{ KMSCipherTextKey []byte }
	for _, done := range answer.ProcessedClientActions {
		if done.ActionStatus != 1 {
			return 0, nil, fmt.Errorf("%s failed on client with status %d error: %s", done.ActionType, done.ActionStatus, done.Error)
		}
		if done.ActionType == "KMSEncryption" {
			if err := json.Unmarshal(done.ActionResult, &encrypted); err != nil {
				return 0, nil, fmt.Errorf("read the encrypted data key: %w", err)
			}
		}
	}
	if h.key() == "" {
		content, body := h.finished()
		return content, body, nil
	}
	plain, err := h.decryptKey(encrypted.KMSCipherTextKey)
	if err != nil {
		return 0, nil, fmt.Errorf("Fetching data key failed: %w", err) //nolint:staticcheck // The words are the real agent's.
	}
	client, err := channelmessage.NewEncryption(plain)
	if err != nil {
		return 0, nil, err
	}
	h.encryption, h.challenge = client.Reverse(), make([]byte, channelmessage.KeyBytes)
	_, _ = rand.Read(h.challenge) // It never fails.
	return channelmessage.ContentChallenge, mustJSON(map[string][]byte{"Challenge": h.encryption.Encrypt(h.challenge)}), nil
}

func (h *shake) finished() (uint32, []byte) {
	text := ""
	if h.encryption != nil {
		text = "This session is encrypted using AWS KMS."
	}
	return channelmessage.ContentHandshakeDone, mustJSON(map[string]any{
		"HandshakeTimeToComplete": time.Since(h.began), "CustomerMessage": text,
	})
}

func (h *shake) encrypt(data []byte) []byte {
	if h == nil || h.encryption == nil {
		return data
	}
	return h.encryption.Encrypt(data)
}

func (h *shake) decrypt(data []byte) ([]byte, error) {
	if h == nil || h.encryption == nil {
		return data, nil
	}
	return h.encryption.Decrypt(data)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // A type of this file, or JSON that was read.
	}
	return b
}
