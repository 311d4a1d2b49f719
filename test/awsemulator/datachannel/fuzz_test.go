package datachannel

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
)

func FuzzFrameIsReadAsItIsWritten(f *testing.F) {
	f.Add([]byte("x"), int64(0), uint32(1))
	f.Fuzz(func(t *testing.T, payload []byte, sequence int64, kind uint32) {
		want := Frame{Type: TypeInput, Schema: 1, Created: time.UnixMilli(1), Sequence: sequence, ID: uuid.New(), PayloadType: PayloadType(kind), Payload: payload}
		got, err := Parse(want.Marshal())
		if sequence < 0 {
			if err == nil {
				t.Fatal("a negative sequence number is taken")
			}
			return
		}
		if err != nil || got.Type != want.Type || got.Sequence != sequence || got.ID != want.ID || got.PayloadType != want.PayloadType || !bytes.Equal(got.Payload, payload) {
			t.Fatalf("%+v is read as %+v (%v)", want, got, err)
		}
	})
}

func FuzzParseTakesAnything(f *testing.F) {
	f.Add(Frame{Type: TypeOutput, Payload: []byte("x")}.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := Parse(b)
		if err == nil && len(frame.Payload) != len(b)-payloadAt {
			t.Fatalf("%d of %d bytes are the payload", len(frame.Payload), len(b))
		}
	})
}

// FuzzAgentTakesAnything feeds an agent with what a hostile client could send, in every
// phase of a session.
func FuzzAgentTakesAnything(f *testing.F) {
	response := `{"ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1},{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{"KMSCipherTextKey":"AAAA"}}]}`
	f.Add([]byte(response), []byte(`{"Challenge":"AAAA"}`), uint32(6), uint32(9), true)
	f.Add([]byte("ls\r"), []byte(`{"cols":1,"rows":-1}`), uint32(1), uint32(3), false)
	f.Add([]byte{0, 0, 0, 2}, []byte{0, 0, 0, 1}, uint32(10), uint32(10), false)
	f.Fuzz(func(_ *testing.T, first, second []byte, one, two uint32, encrypted bool) {
		o := AgentOptions{Version: "3.3.0.0", Start: Echo, Type: SessionType{SessionType: "Standard_Stream"}}
		if encrypted {
			o.Handshake, o.KMSKey = true, "key"
			o.DataKey = func(b []byte) ([]byte, error) {
				if len(b) == 0 {
					return nil, errors.New("none")
				}
				return bytes.Repeat(b[:1], dataKeySize), nil
			}
		}
		a := NewAgent(o)
		now := time.Unix(0, 0)
		a.Connect(now)
		for i, part := range [][]byte{first, second, first} {
			kind := PayloadType([]uint32{one, two, two}[i])
			for _, t := range []string{TypeInput, TypeAcknowledge} {
				_, _ = a.Receive(now, Frame{Type: t, Sequence: int64(i), PayloadType: kind, Payload: part}.Marshal())
			}
			_, _ = a.Receive(now, part)
			a.Tick(now.Add(time.Second))
		}
		a.Ended()
		a.Close()
	})
}
