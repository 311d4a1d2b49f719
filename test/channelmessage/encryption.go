package channelmessage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// KeyBytes is the size of the data key of a session: one key for what comes, one
// for what goes.
const KeyBytes = 64

// ErrCannotDecrypt is returned for what was encrypted by another key, or not at all.
var ErrCannotDecrypt = errors.New("what the other side sent cannot be decrypted")

// Encryption encrypts what one side of a session sends, and decrypts what it gets.
type Encryption struct{ incoming, outgoing cipher.AEAD }

// NewEncryption is that of a client. The agent's is its Reverse.
func NewEncryption(key []byte) (*Encryption, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("the data key has %d bytes, not %d", len(key), KeyBytes)
	}
	var pair [2]cipher.AEAD
	for i := range pair {
		block, err := aes.NewCipher(key[i*KeyBytes/2 : (i+1)*KeyBytes/2])
		if err != nil {
			return nil, err
		}
		if pair[i], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	return &Encryption{incoming: pair[0], outgoing: pair[1]}, nil
}

// Reverse is the encryption of the other side.
func (e *Encryption) Reverse() *Encryption {
	return &Encryption{incoming: e.outgoing, outgoing: e.incoming}
}

// Encrypt puts the nonce before what it encrypts.
func (e *Encryption) Encrypt(plain []byte) []byte {
	nonce := make([]byte, e.outgoing.NonceSize())
	_, _ = rand.Read(nonce) // It never fails.
	return e.outgoing.Seal(nonce, nonce, plain, nil)
}

// Decrypt reads what Encrypt of the other side wrote.
func (e *Encryption) Decrypt(b []byte) ([]byte, error) {
	size := e.incoming.NonceSize()
	if len(b) < size {
		return nil, ErrCannotDecrypt
	}
	plain, err := e.incoming.Open(nil, b[:size], b[size:], nil)
	if err != nil {
		return nil, ErrCannotDecrypt
	}
	return plain, nil
}
