package datachannel

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// TestFrameLiesOnTheWireAsThePluginReadsIt has the bytes of a frame, put together by
// hand from what was seen of real ones.
func TestFrameLiesOnTheWireAsThePluginReadsIt(t *testing.T) {
	f := Frame{
		Type: TypeOutput, Schema: 1, Created: time.UnixMilli(0x0102030405), Sequence: 7, Flags: 1,
		ID: uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff"), PayloadType: PayloadOutput, Payload: []byte("$ "),
	}
	want := "00000074" + hex.EncodeToString([]byte("output_stream_data              ")) + "00000001" + "0000000102030405" + "0000000000000007" +
		"0000000000000001" + "8899aabbccddeeff0011223344556677"
	got := hex.EncodeToString(f.Marshal())
	if got[:160] != want[:160] {
		t.Errorf("got  %s\nwant %s", got[:160], want[:160])
	}
	if tail := got[len(got)-20:]; tail != "00000001"+"00000002"+"2420" {
		t.Errorf("the end is %s", tail)
	}
}

func TestDamagedFramesAreRefused(t *testing.T) {
	whole := Frame{Type: TypeInput, Payload: []byte("hello")}.Marshal()
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x40
		f, err := Parse(damaged)
		if err == nil && !bytes.Equal(f.Payload, []byte("hello")) {
			t.Errorf("a change of byte %d changes the payload to %q", at, f.Payload)
		}
	}
	for n := range whole {
		if _, err := Parse(whole[:n]); err == nil {
			t.Errorf("the first %d bytes are taken for a frame", n)
		}
	}
}

// line carries frames, and drops, repeats and reorders them.
type line struct {
	t      *rapid.T
	frames [][]byte
}

// next takes a frame off the line. It is nil where it is lost.
func (l *line) next(bad bool) []byte {
	i := 0
	if bad {
		i = rapid.IntRange(0, len(l.frames)-1).Draw(l.t, "which")
	}
	raw := l.frames[i]
	fate := 2
	if bad {
		fate = rapid.IntRange(0, 5).Draw(l.t, "fate")
	}
	if fate != 1 { // else it comes twice
		l.frames = append(l.frames[:i:i], l.frames[i+1:]...)
	}
	if fate == 0 {
		return nil
	}
	return raw
}

func TestStreamLosesNothingOnABadLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to, between := newStream(TypeOutput), newStream(TypeInput), &line{t: t}
		now := time.Unix(0, 0)
		var sent, got []byte
		toSend := rapid.IntRange(0, 100).Draw(t, "frames")
		for step := 0; toSend > 0 || !from.idle(); step++ {
			bad := step < 50
			now = now.Add(resendAfter / 4)
			for toSend > 0 && from.room() > 0 {
				between.frames = append(between.frames, from.send(now, PayloadOutput, []byte{byte(toSend)}))
				sent = append(sent, byte(toSend))
				toSend--
			}
			between.frames = append(between.frames, from.overdue(now, resendAfter)...)
			delivered := len(between.frames)
			if bad {
				delivered = rapid.IntRange(0, 20).Draw(t, "delivered")
			}
			for range min(delivered, len(between.frames)) {
				raw := between.next(bad)
				if raw == nil {
					continue
				}
				f := parsed(t, raw)
				ready, known := to.receive(f)
				for _, f := range ready {
					got = append(got, f.Payload...)
				}
				if known && (!bad || rapid.Bool().Draw(t, "acknowledged")) {
					from.acknowledged(parsed(t, acknowledge(f, now)))
				}
			}
		}
		if !bytes.Equal(got, sent) {
			t.Fatalf("%v comes as %v", sent, got)
		}
	})
}

func parsed(t *rapid.T, raw []byte) Frame {
	f, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
