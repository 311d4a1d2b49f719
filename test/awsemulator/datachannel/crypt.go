package datachannel

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// dataKeySize is the size of the data key that a client asks KMS for: one AES-256
// key for each direction.
const dataKeySize = 64

var errDataKey = errors.New("the data key is not 64 bytes long")

// secret encrypts and decrypts as an agent does: with the first half of the data
// key what it sends, with the second half what the client sends.
type secret struct{ seal, open cipher.AEAD }

func newSecret(dataKey []byte) (*secret, error) {
	if len(dataKey) != dataKeySize {
		return nil, errDataKey
	}
	seal, err := gcm(dataKey[:dataKeySize/2])
	if err != nil {
		return nil, err
	}
	open, err := gcm(dataKey[dataKeySize/2:])
	return &secret{seal, open}, err
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// encrypt puts the nonce before what it encrypts.
func (s *secret) encrypt(plain []byte) []byte {
	nonce := make([]byte, s.seal.NonceSize(), s.seal.NonceSize()+len(plain)+s.seal.Overhead())
	_, _ = rand.Read(nonce) // It never fails.
	return s.seal.Seal(nonce, nonce, plain, nil)
}

func (s *secret) decrypt(sealed []byte) ([]byte, error) {
	n := s.open.NonceSize()
	if len(sealed) < n {
		return nil, errShort
	}
	plain, err := s.open.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil {
		return nil, fmt.Errorf("decrypt what the client sent: %w", err)
	}
	return plain, nil
}
