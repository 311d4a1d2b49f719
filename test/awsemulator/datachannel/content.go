package datachannel

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Open is the first message of a client or an agent on a channel, in a text
// message: it authenticates by its token.
type Open struct {
	MessageSchemaVersion string
	RequestId            string //nolint:revive,staticcheck // The names are AWS's.
	TokenValue           string
	ClientId             string //nolint:revive,staticcheck // The names are AWS's.
	ClientVersion        string
}

// acknowledgement says which frame was received.
type acknowledgement struct {
	AcknowledgedMessageType           string
	AcknowledgedMessageId             string //nolint:revive,staticcheck // The names are AWS's.
	AcknowledgedMessageSequenceNumber int64
	IsSequentialMessage               bool
}

// closed says that a session has ended. Output is the reason that clients show;
// without one they say that they exit.
type closed struct {
	MessageId, CreatedDate, DestinationId, SessionId, MessageType string //nolint:revive,staticcheck // The names are AWS's.

	SchemaVersion int
	Output        string
}

// The actions of a handshake, in the order in which agents ask for them.
const (
	actionSessionType = "SessionType"
	actionKMS         = "KMSEncryption"
	// actionDone is the status of an action that the client has carried out.
	actionDone = 1
)

type handshakeRequest struct {
	AgentVersion           string
	RequestedClientActions []requestedAction
}

type requestedAction struct {
	ActionType       string
	ActionParameters any
}

// SessionType is what kind of session a node runs, and how.
type SessionType struct {
	SessionType string
	Properties  any
}

type kmsRequest struct {
	KMSKeyId string //nolint:revive,staticcheck // The names are AWS's.
}

type handshakeResponse struct {
	ClientVersion          string
	ProcessedClientActions []processedAction
	Errors                 []string
}

type processedAction struct {
	ActionType   string
	ActionStatus int
	ActionResult json.RawMessage
	Error        string
}

type kmsResponse struct{ KMSCipherTextKey []byte }

type challenge struct{ Challenge []byte }

type handshakeComplete struct {
	// HandshakeTimeToComplete is in nanoseconds.
	HandshakeTimeToComplete time.Duration
	CustomerMessage         string
}

type size struct {
	Cols int `json:"cols"`
	Rows int `json:"rows"`
}

// The flags that a client or an agent sends, four bytes.
const (
	flagDisconnect = 1
	flagTerminate  = 2
)

// mustJSON writes what can always be written.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // A type of this file.
	}
	return b
}

// acknowledge is the frame that acknowledges another.
func acknowledge(f Frame, now time.Time) []byte {
	return Frame{
		Type: TypeAcknowledge, Schema: 1, Created: now, Flags: 3, ID: uuid.New(),
		Payload: mustJSON(acknowledgement{f.Type, f.ID.String(), f.Sequence, true}),
	}.Marshal()
}

// ClosedFrame is the frame that ends a session on its target.
func ClosedFrame(session, target, output string, now time.Time) []byte {
	id := uuid.New()
	return Frame{
		Type: TypeClosed, Schema: 1, Created: now, ID: id, PayloadType: payloadNone,
		Payload: mustJSON(closed{
			MessageId: id.String(), CreatedDate: strconv.FormatInt(now.UnixMilli(), 10), DestinationId: target, SessionId: session,
			MessageType: TypeClosed, SchemaVersion: 1, Output: output,
		}),
	}.Marshal()
}
