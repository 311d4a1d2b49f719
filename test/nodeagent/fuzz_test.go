package nodeagent

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// FuzzStartTakesAnything feeds an agent with what a hostile service could send to start a
// session.
func FuzzStartTakesAnything(f *testing.F) {
	f.Add([]byte(`{"Content":"{\"SessionId\":\"user01-a\",\"DocumentContent\":{\"sessionType\":\"InteractiveCommands\",\"properties\":{\"linux\":{\"commands\":\"id\"}}}}"}`))
	f.Add([]byte(`{"Content":"[]"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := readStart(body)
		if err == nil && s.SessionId == "" {
			t.Fatal("a session without an id is started")
		}
		_, _ = s.command()
	})
}

// FuzzHandshakeTakesAnything feeds an agent with what a hostile client could answer, in every
// phase of a handshake.
func FuzzHandshakeTakesAnything(f *testing.F) {
	f.Add([]byte(`{"ProcessedClientActions":[{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{"KMSCipherTextKey":"AAAA"}}]}`), []byte(`{"Challenge":"AAAA"}`), true)
	f.Add([]byte(`{"ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1}]}`), []byte(`{}`), false)
	f.Fuzz(func(t *testing.T, answer, challenge []byte, encrypted bool) {
		h := &shake{began: time.Now(), decryptKey: func([]byte) ([]byte, error) { return make([]byte, channelmessage.KeyBytes), nil }}
		if encrypted {
			h.DocumentContent.Inputs.KMSKeyId = "key"
		}
		_, _, _ = h.take(channelmessage.Message{Content: channelmessage.ContentHandshakeAnswer, Body: answer})
		content, _, _ := h.take(channelmessage.Message{Content: channelmessage.ContentChallengeAnswer, Body: challenge})
		if content == channelmessage.ContentHandshakeDone {
			t.Fatal("a client without the key meets the challenge")
		}
	})
}
