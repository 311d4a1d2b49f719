package channelmessage

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// The kinds of message on a data channel.
const (
	KindInput       = "input_stream_data"
	KindOutput      = "output_stream_data"
	KindAcknowledge = "acknowledge"
	KindClosed      = "channel_closed"
)

// What the content of stream data is, and what a flag says.
const (
	ContentData                   = 1
	ContentSize                   = 3
	ContentHandshake              = 5
	ContentHandshakeAnswer        = 6
	ContentHandshakeDone          = 7
	ContentChallenge              = 8
	ContentChallengeAnswer        = 9
	ContentFlag                   = 10
	ContentErrors                 = 11
	ContentExitCode               = 12
	FlagTerminate          uint32 = 2
)

// header is the fixed part of a message, as it lies on the wire.
type header struct {
	Length   uint32
	Kind     [32]byte
	Schema   uint32
	Created  uint64 // milliseconds
	Sequence int64
	Flags    uint64
	ID       [16]byte
	Digest   [sha256.Size]byte
	Content  uint32
	Size     uint32
}

// headerLength is what a header says of its own length: all but the size.
const headerLength = 116

// MaxMessage is the largest message that is read.
const MaxMessage = 1 << 20

// ErrNotAMessage is what the errors of Decode are.
var ErrNotAMessage = errors.New("what was received is not a message of a channel")

// Message is one message of a channel.
type Message struct {
	Kind     string
	Sequence int64
	ID       [16]byte // as it lies on the wire
	Content  uint32
	Body     []byte
}

// Encode writes a message of now.
func (m Message) Encode(now time.Time) []byte {
	h := header{
		Length: headerLength, Schema: 1, Created: uint64(now.UnixMilli()), Sequence: m.Sequence, ID: m.ID,
		Digest: sha256.Sum256(m.Body), Content: m.Content, Size: uint32(len(m.Body)),
	}
	for i := range h.Kind {
		h.Kind[i] = ' '
	}
	copy(h.Kind[:], m.Kind)
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, h) // A buffer takes everything.
	b.Write(m.Body)
	return b.Bytes()
}

// Decode reads a message. Its body is a part of raw.
func Decode(raw []byte) (Message, error) {
	var h header
	n, err := binary.Decode(raw, binary.BigEndian, &h)
	if err != nil {
		return Message{}, fmt.Errorf("%w: it is too short", ErrNotAMessage)
	}
	body := raw[n:]
	switch {
	case h.Length != headerLength:
		return Message{}, fmt.Errorf("%w: its header has %d bytes", ErrNotAMessage, h.Length)
	case uint64(h.Size) != uint64(len(body)):
		return Message{}, fmt.Errorf("%w: %d bytes follow, not %d", ErrNotAMessage, len(body), h.Size)
	case sha256.Sum256(body) != h.Digest:
		return Message{}, fmt.Errorf("%w: the digest is wrong", ErrNotAMessage)
	}
	return Message{
		Kind: string(bytes.TrimRight(h.Kind[:], " \x00")), Sequence: h.Sequence, ID: h.ID, Content: h.Content, Body: body,
	}, nil
}

// NewID makes a random id.
func NewID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // It never fails.
	id[0], id[14] = id[0]&0x3f|0x80, id[14]&0x0f|0x40
	return id
}

// TextOf writes an id as text. On the wire its second half comes first.
func TextOf(id [16]byte) string {
	h := hex.EncodeToString(append(id[8:16:16], id[:8]...))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
