package datachannel

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// AgentOptions says what the agent of a node runs in a session.
type AgentOptions struct {
	// Version is the agent's.
	Version string
	// Type is announced in the handshake. A plain shell without a key has none: its
	// output comes at once.
	Type      SessionType
	Handshake bool
	// KMSKey encrypts the session; empty where nothing does. DataKey decrypts the
	// data key that the client got from KMS.
	KMSKey  string
	DataKey func(encrypted []byte) ([]byte, error)
	// Start starts the program once the handshake is complete.
	Start Start
}

// outputSize is how much output an agent puts into a frame.
const outputSize = 1024

// phase is how far a session has come.
type phase int

const (
	waiting phase = iota // for a client
	shaking
	challenging
	running
	over
)

// Agent is a node's side of one session. It outlives the client's connections. It is
// safe for concurrent use.
type Agent struct {
	options AgentOptions
	changed chan struct{}

	mu        sync.Mutex
	phase     phase
	stream    *stream
	began     time.Time
	program   Program
	secret    *secret
	challenge []byte
	failure   string
	left      bool // The client has asked for the end, and reads no more.
}

// NewAgent returns an agent that waits for a client.
func NewAgent(o AgentOptions) *Agent {
	return &Agent{options: o, stream: newStream(TypeOutput), changed: make(chan struct{}, 1)}
}

// Changed is sent to when the program has output that nothing asked for.
func (a *Agent) Changed() <-chan struct{} { return a.changed }

// Connect returns what the agent sends when a client connects: its first frames, or
// all that an earlier connection did not get acknowledged.
func (a *Agent) Connect(now time.Time) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != waiting {
		return append(a.stream.overdue(now, 0), a.pump(now)...)
	}
	a.began = now
	if !a.options.Handshake && a.options.KMSKey == "" {
		a.run("")
		return a.pump(now)
	}
	a.phase = shaking
	request := handshakeRequest{AgentVersion: a.options.Version, RequestedClientActions: []requestedAction{{actionSessionType, a.options.Type}}}
	if a.options.KMSKey != "" {
		request.RequestedClientActions = append(request.RequestedClientActions, requestedAction{actionKMS, kmsRequest{a.options.KMSKey}})
	}
	return [][]byte{a.stream.send(now, PayloadHandshakeRequest, mustJSON(request))}
}

// Receive takes a message of the client and returns what the agent sends. A message
// that cannot be read is dropped, as the agent does: err says why.
func (a *Agent) Receive(now time.Time, raw []byte) (out [][]byte, err error) {
	f, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch f.Type {
	case TypeAcknowledge:
		a.stream.acknowledged(f)
		return a.pump(now), nil
	case TypeInput:
	default:
		return nil, fmt.Errorf("a client sends no frames of type %q", f.Type)
	}
	if a.program != nil && a.program.Full() {
		return nil, nil
	}
	ready, known := a.stream.receive(f)
	if known {
		out = append(out, acknowledge(f, now))
	}
	for _, f := range ready {
		sent, failed := a.process(now, f)
		out, err = append(out, sent...), errors.Join(err, failed)
	}
	return append(out, a.pump(now)...), err
}

// Tick returns what the agent sends when time has passed.
func (a *Agent) Tick(now time.Time) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append(a.stream.overdue(now, resendAfter), a.pump(now)...)
}

// Ended reports whether the session has ended on the node and the client has all
// output. The reason is empty where the program ended by itself.
func (a *Agent) Ended() (reason string, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure, a.phase == over && (a.stream.idle() || a.left || a.failure != "")
}

// Over reports whether the session has ended on the node, whatever the client has.
func (a *Agent) Over() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase == over
}

// Close ends the program.
func (a *Agent) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = over
	if a.program != nil {
		a.program.Close()
	}
}

// process takes stream data in its order.
func (a *Agent) process(now time.Time, f Frame) ([][]byte, error) {
	switch {
	case f.PayloadType == PayloadHandshakeResponse && a.phase == shaking:
		return a.answered(now, f.Payload), nil
	case f.PayloadType == PayloadChallengeResponse && a.phase == challenging:
		return a.met(now, f.Payload), nil
	case a.phase != running:
		return nil, fmt.Errorf("payload type %d comes at the wrong time", f.PayloadType)
	case f.PayloadType == PayloadOutput:
		return nil, a.input(f.Payload)
	case f.PayloadType == PayloadSize:
		var s size
		if err := json.Unmarshal(f.Payload, &s); err != nil {
			return nil, fmt.Errorf("the size is not JSON: %w", err)
		}
		a.program.Resize(s.Cols, s.Rows)
	case f.PayloadType == PayloadFlag && len(f.Payload) == 4:
		switch binary.BigEndian.Uint32(f.Payload) {
		case flagDisconnect:
			a.program.Disconnect()
		case flagTerminate:
			a.phase, a.left = over, true
		}
	}
	return nil, nil
}

func (a *Agent) input(payload []byte) error {
	if a.secret != nil {
		plain, err := a.secret.decrypt(payload)
		if err != nil {
			return err
		}
		payload = plain
	}
	a.program.Input(payload)
	return nil
}

// answered takes the response of the handshake.
func (a *Agent) answered(now time.Time, payload []byte) [][]byte {
	var response handshakeResponse
	if err := json.Unmarshal(payload, &response); err != nil {
		return a.fail("the handshake's response is not JSON: %v", err)
	}
	done := map[string]processedAction{}
	for _, action := range response.ProcessedClientActions {
		if action.ActionStatus != actionDone {
			return a.fail("%s failed on client with status %d error: %s", action.ActionType, action.ActionStatus, action.Error)
		}
		done[action.ActionType] = action
	}
	if _, ok := done[actionSessionType]; !ok {
		return a.fail("the client did not process %s", actionSessionType)
	}
	if a.options.KMSKey == "" {
		return a.complete(now, response.ClientVersion)
	}
	var key kmsResponse
	if err := json.Unmarshal(done[actionKMS].ActionResult, &key); err != nil || len(key.KMSCipherTextKey) == 0 {
		return a.fail("the client did not process %s", actionKMS)
	}
	plain, err := a.options.DataKey(key.KMSCipherTextKey)
	if err == nil {
		a.secret, err = newSecret(plain)
	}
	if err != nil {
		return a.fail("Fetching data key failed: %v", err)
	}
	a.challenge = make([]byte, dataKeySize)
	_, _ = rand.Read(a.challenge) // It never fails.
	a.phase, a.options.Version = challenging, response.ClientVersion
	return [][]byte{a.stream.send(now, PayloadChallengeRequest, mustJSON(challenge{a.secret.encrypt(a.challenge)}))}
}

// met checks the client's answer to the challenge.
func (a *Agent) met(now time.Time, payload []byte) [][]byte {
	var answer challenge
	err := json.Unmarshal(payload, &answer)
	var plain []byte
	if err == nil {
		plain, err = a.secret.decrypt(answer.Challenge)
	}
	if err != nil || !bytes.Equal(plain, a.challenge) {
		return a.fail("the client did not meet the encryption challenge")
	}
	return a.complete(now, a.options.Version)
}

// complete ends the handshake and starts the program.
func (a *Agent) complete(now time.Time, clientVersion string) [][]byte {
	a.run(clientVersion)
	message := ""
	if a.secret != nil {
		message = "This session is encrypted using AWS KMS."
	}
	return [][]byte{a.stream.send(now, PayloadHandshakeComplete, mustJSON(handshakeComplete{now.Sub(a.began), message}))}
}

func (a *Agent) run(clientVersion string) {
	a.phase = running
	a.program = a.options.Start(clientVersion, func() {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	})
}

// fail ends the session for a reason that the client shows.
func (a *Agent) fail(format string, args ...any) [][]byte {
	a.phase, a.failure = over, fmt.Sprintf(format, args...)
	return nil
}

// pump sends output for which there is room.
func (a *Agent) pump(now time.Time) [][]byte {
	var out [][]byte
	for a.phase == running && a.stream.room() > 0 {
		data := a.program.Output(outputSize)
		if len(data) == 0 {
			if a.program.Ended() {
				a.phase = over
			}
			break
		}
		if a.secret != nil {
			data = a.secret.encrypt(data)
		}
		out = append(out, a.stream.send(now, PayloadOutput, data))
	}
	return out
}
