package channelmessage

import (
	"bytes"
	"testing"
	"time"
)

func FuzzMessageIsReadAsItIsWritten(f *testing.F) {
	f.Add([]byte("x"), int64(0), uint32(1))
	f.Fuzz(func(t *testing.T, body []byte, sequence int64, content uint32) {
		m := Message{Kind: KindInput, Sequence: sequence, ID: NewID(), Content: content, Body: body}
		got, err := Decode(m.Encode(time.Unix(0, 0)))
		if err != nil || got.Kind != m.Kind || got.Sequence != sequence || got.ID != m.ID || got.Content != content || !bytes.Equal(got.Body, body) {
			t.Fatalf("%+v is read as %+v (%v)", m, got, err)
		}
	})
}

// FuzzDecodeTakesAnything feeds both sides with what is no message.
func FuzzDecodeTakesAnything(f *testing.F) {
	f.Add(Message{Kind: KindOutput, Body: []byte("x")}.Encode(time.Unix(0, 0)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Decode(raw)
		if err == nil && len(m.Body) != len(raw)-headerLength-4 {
			t.Fatalf("%d of %d bytes are the body", len(m.Body), len(raw))
		}
		var out Outgoing
		out.Acknowledged(raw)
	})
}
