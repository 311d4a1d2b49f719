package sessionclient

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

// The kinds of message that a client sends or gets.
const (
	kindInput       = "input_stream_data"
	kindOutput      = "output_stream_data"
	kindAcknowledge = "acknowledge"
	kindClosed      = "channel_closed"
)

// What the content of stream data is.
const (
	contentData                   = 1
	contentSize                   = 3
	contentHandshake              = 5
	contentHandshakeAnswer        = 6
	contentHandshakeDone          = 7
	contentChallenge              = 8
	contentChallengeAnswer        = 9
	contentFlag                   = 10
	contentErrors                 = 11
	contentExitCode               = 12
	flagTerminate          uint32 = 2
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

// maxMessage is the largest message that is read.
const maxMessage = 1 << 20

var errNotAMessage = errors.New("what the service sent is not a message of a data channel")

// message is one message of a data channel.
type message struct {
	kind     string
	sequence int64
	id       [16]byte // as it lies on the wire
	content  uint32
	body     []byte
}

// encode writes a message of now.
func (m message) encode(now time.Time) []byte {
	h := header{
		Length: headerLength, Schema: 1, Created: uint64(now.UnixMilli()), Sequence: m.sequence, ID: m.id,
		Digest: sha256.Sum256(m.body), Content: m.content, Size: uint32(len(m.body)),
	}
	for i := range h.Kind {
		h.Kind[i] = ' '
	}
	copy(h.Kind[:], m.kind)
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, h) // A buffer takes everything.
	b.Write(m.body)
	return b.Bytes()
}

// decode reads a message. Its body is a part of raw.
func decode(raw []byte) (message, error) {
	var h header
	n, err := binary.Decode(raw, binary.BigEndian, &h)
	if err != nil {
		return message{}, fmt.Errorf("%w: it is too short", errNotAMessage)
	}
	body := raw[n:]
	switch {
	case h.Length != headerLength:
		return message{}, fmt.Errorf("%w: its header has %d bytes", errNotAMessage, h.Length)
	case uint64(h.Size) != uint64(len(body)):
		return message{}, fmt.Errorf("%w: %d bytes follow, not %d", errNotAMessage, len(body), h.Size)
	case sha256.Sum256(body) != h.Digest:
		return message{}, fmt.Errorf("%w: the digest is wrong", errNotAMessage)
	}
	return message{
		kind: string(bytes.TrimRight(h.Kind[:], " \x00")), sequence: h.Sequence, id: h.ID, content: h.Content, body: body,
	}, nil
}

// newID makes a random id.
func newID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // It never fails.
	id[0], id[14] = id[0]&0x3f|0x80, id[14]&0x0f|0x40
	return id
}

// textOf writes an id as text. On the wire its second half comes first.
func textOf(id [16]byte) string {
	h := hex.EncodeToString(append(id[8:16:16], id[:8]...))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
