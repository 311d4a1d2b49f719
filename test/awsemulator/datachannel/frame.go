package datachannel

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The message types of frames.
const (
	TypeInput       = "input_stream_data"
	TypeOutput      = "output_stream_data"
	TypeAcknowledge = "acknowledge"
	TypeClosed      = "channel_closed"
	TypeStart       = "start_publication"
	TypePause       = "pause_publication"
)

// PayloadType says what the payload of stream data is.
type PayloadType uint32

// The payload types.
const (
	PayloadOutput            PayloadType = 1
	PayloadSize              PayloadType = 3
	PayloadHandshakeRequest  PayloadType = 5
	PayloadHandshakeResponse PayloadType = 6
	PayloadHandshakeComplete PayloadType = 7
	PayloadChallengeRequest  PayloadType = 8
	PayloadChallengeResponse PayloadType = 9
	PayloadFlag              PayloadType = 10
	PayloadStdErr            PayloadType = 11
	PayloadExitCode          PayloadType = 12
	payloadNone              PayloadType = 0
)

// Where the fields of a header begin. The payload's length follows the header,
// and then the payload.
const (
	typeAt, typeSize     = 4, 32
	schemaAt             = 36
	createdAt            = 40
	sequenceAt           = 48
	flagsAt              = 56
	idAt                 = 64
	digestAt, digestSize = 80, sha256.Size
	payloadTypeAt        = 112
	headerSize           = 116
	payloadAt            = headerSize + 4
)

// MaxFrame is the size of the largest frame that is read. Both programs put at most
// some KB of data into one; the JSON of a handshake is larger.
const MaxFrame = 1 << 20

var (
	errShort  = errors.New("the frame is shorter than its header")
	errHeader = errors.New("the header's length is wrong")
	errLength = errors.New("the payload's length is not the one that the frame gives")
	errDigest = errors.New("the digest is not that of the payload")
)

// Frame is one message on a data channel.
type Frame struct {
	Type string
	// Schema is the version of the format, 1.
	Schema  uint32
	Created time.Time
	// Sequence numbers the stream data of one direction, from 0.
	Sequence    int64
	Flags       uint64
	ID          uuid.UUID
	PayloadType PayloadType
	Payload     []byte
}

// Marshal writes the frame. A type of more than 32 bytes is cut.
func (f Frame) Marshal() []byte {
	b := make([]byte, payloadAt+len(f.Payload))
	binary.BigEndian.PutUint32(b, headerSize)
	copy(b[typeAt:typeAt+typeSize], f.Type+strings.Repeat(" ", typeSize))
	binary.BigEndian.PutUint32(b[schemaAt:], f.Schema)
	binary.BigEndian.PutUint64(b[createdAt:], uint64(f.Created.UnixMilli()))
	binary.BigEndian.PutUint64(b[sequenceAt:], uint64(f.Sequence))
	binary.BigEndian.PutUint64(b[flagsAt:], f.Flags)
	// The halves of the id are swapped.
	copy(b[idAt:], f.ID[8:])
	copy(b[idAt+8:], f.ID[:8])
	digest := sha256.Sum256(f.Payload)
	copy(b[digestAt:], digest[:])
	binary.BigEndian.PutUint32(b[payloadTypeAt:], uint32(f.PayloadType))
	binary.BigEndian.PutUint32(b[headerSize:], uint32(len(f.Payload)))
	copy(b[payloadAt:], f.Payload)
	return b
}

// Parse reads a frame. Its payload is a part of b.
func Parse(b []byte) (Frame, error) {
	if len(b) < payloadAt {
		return Frame{}, errShort
	}
	if binary.BigEndian.Uint32(b) != headerSize {
		return Frame{}, errHeader
	}
	f := Frame{
		Type:        string(bytes.TrimRight(b[typeAt:typeAt+typeSize], " \x00")),
		Schema:      binary.BigEndian.Uint32(b[schemaAt:]),
		Created:     time.UnixMilli(int64(binary.BigEndian.Uint64(b[createdAt:]))),
		Sequence:    int64(binary.BigEndian.Uint64(b[sequenceAt:])),
		Flags:       binary.BigEndian.Uint64(b[flagsAt:]),
		PayloadType: PayloadType(binary.BigEndian.Uint32(b[payloadTypeAt:])),
		Payload:     b[payloadAt:],
	}
	copy(f.ID[8:], b[idAt:idAt+8])
	copy(f.ID[:8], b[idAt+8:idAt+16])
	if uint64(binary.BigEndian.Uint32(b[headerSize:])) != uint64(len(f.Payload)) {
		return Frame{}, errLength
	}
	digest := sha256.Sum256(f.Payload)
	if subtle.ConstantTimeCompare(digest[:], b[digestAt:digestAt+digestSize]) != 1 {
		return Frame{}, errDigest
	}
	if f.Type == "" || f.Sequence < 0 {
		return Frame{}, fmt.Errorf("a frame of type %q with sequence number %d is none", f.Type, f.Sequence)
	}
	return f, nil
}
