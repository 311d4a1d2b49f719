package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// maxDataKey is the size of the largest data key, in bytes.
const maxDataKey = 1024

// separator is between the key's ARN and what is encrypted in a ciphertext.
const separator = "\x00"

// inContext adds the encryption context of a request to its checks.
func inContext(checks []service.Check, encryption map[string]string) []service.Check {
	for i := range checks {
		for key, value := range encryption {
			checks[i].Context.Set("kms:EncryptionContext:"+key, value)
		}
	}
	return checks
}

// keyOf is the ARN of the key by which something is encrypted; empty for what is no
// ciphertext.
func keyOf(ciphertext []byte) string {
	arn, _, ok := strings.Cut(string(ciphertext), separator)
	if !ok {
		return ""
	}
	return arn
}

// material is the cipher of a key. Nothing that matters is encrypted by it.
func (k *Key) material() cipher.AEAD {
	secret := sha256.Sum256([]byte("emulated key material of " + k.ARN))
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic(err) // The size is right.
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // The block is of AES.
	}
	return gcm
}

func contextBytes(encryption map[string]string) []byte {
	b, err := json.Marshal(encryption) // Sorted by key.
	if err != nil {
		panic(err) // Text.
	}
	return b
}

// seal encrypts for an encryption context.
func (k *Key) seal(plain []byte, encryption map[string]string) []byte {
	gcm := k.material()
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce) // It never fails.
	return gcm.Seal(append([]byte(k.ARN+separator), nonce...), nonce, plain, contextBytes(encryption))
}

var errCiphertext = errors.New("the ciphertext is not of this key and context")

// open decrypts what seal has encrypted for the same context.
func (k *Key) open(ciphertext []byte, encryption map[string]string) ([]byte, error) {
	_, sealed, _ := strings.Cut(string(ciphertext), separator)
	gcm := k.material()
	if len(sealed) < gcm.NonceSize() {
		return nil, errCiphertext
	}
	plain, err := gcm.Open(nil, []byte(sealed[:gcm.NonceSize()]), []byte(sealed[gcm.NonceSize():]), contextBytes(encryption))
	if err != nil {
		return nil, errCiphertext
	}
	return plain, nil
}

// OpenDataKey decrypts a data key that was made for an encryption context, as a node
// may that is allowed kms:Decrypt.
func (w *World) OpenDataKey(scope service.Scope, ciphertext []byte, encryption map[string]string) ([]byte, error) {
	k, ok := w.find(scope, keyOf(ciphertext))
	if !ok {
		return nil, errCiphertext
	}
	return k.open(ciphertext, encryption)
}

func (w *World) generateDataKey(r *service.Request, in *sdk.GenerateDataKeyInput) (*sdk.GenerateDataKeyOutput, error) {
	k, ok := w.find(scopeOf(r), aws.ToString(in.KeyId))
	if !ok {
		return nil, w.notFound(r, aws.ToString(in.KeyId))
	}
	if k.State != string(types.KeyStateEnabled) {
		return nil, wire.Errorf(400, "DisabledException", "%s is disabled.", k.ARN)
	}
	size := map[types.DataKeySpec]int{types.DataKeySpecAes256: 32, types.DataKeySpecAes128: 16}[in.KeySpec]
	if in.NumberOfBytes != nil {
		if size != 0 {
			return nil, wire.Errorf(400, "ValidationException", "Please specify either number of bytes or key spec.")
		}
		size = int(*in.NumberOfBytes)
	}
	if size < 1 || size > maxDataKey {
		return nil, wire.Errorf(400, "ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // It never fails.
	return &sdk.GenerateDataKeyOutput{KeyId: aws.String(k.ARN), Plaintext: plain, CiphertextBlob: k.seal(plain, in.EncryptionContext)}, nil
}

func (w *World) decrypt(r *service.Request, in *sdk.DecryptInput) (*sdk.DecryptOutput, error) {
	k, ok := w.find(scopeOf(r), keyOf(in.CiphertextBlob))
	if !ok {
		return nil, wire.Errorf(400, "InvalidCiphertextException", "")
	}
	plain, err := k.open(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, wire.Errorf(400, "InvalidCiphertextException", "")
	}
	return &sdk.DecryptOutput{
		KeyId: aws.String(k.ARN), Plaintext: plain, EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault,
	}, nil
}
