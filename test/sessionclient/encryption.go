package sessionclient

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// keyBytes is the size of the data key of a session: one key for what comes, one
// for what goes.
const keyBytes = 64

var errCannotDecrypt = errors.New("what the node sent cannot be decrypted")

type encryption struct{ incoming, outgoing cipher.AEAD }

func newEncryption(key []byte) (*encryption, error) {
	if len(key) != keyBytes {
		return nil, fmt.Errorf("the data key has %d bytes, not %d", len(key), keyBytes)
	}
	var pair [2]cipher.AEAD
	for i := range pair {
		block, err := aes.NewCipher(key[i*keyBytes/2 : (i+1)*keyBytes/2])
		if err != nil {
			return nil, err
		}
		if pair[i], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	return &encryption{incoming: pair[0], outgoing: pair[1]}, nil
}

func (e *encryption) encrypt(plain []byte) []byte {
	nonce := make([]byte, e.outgoing.NonceSize())
	_, _ = rand.Read(nonce) // It never fails.
	return e.outgoing.Seal(nonce, nonce, plain, nil)
}

func (e *encryption) decrypt(b []byte) ([]byte, error) {
	size := e.incoming.NonceSize()
	if len(b) < size {
		return nil, errCannotDecrypt
	}
	plain, err := e.incoming.Open(nil, b[:size], b[size:], nil)
	if err != nil {
		return nil, errCannotDecrypt
	}
	return plain, nil
}
