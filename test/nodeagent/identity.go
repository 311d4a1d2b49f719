package nodeagent

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// keyBits is the size of the key that an agent makes.
const keyBits = 2048

// Identity is what a machine keeps of its registration.
type Identity struct {
	// Node is the id, mi-….
	Node string
	key  *rsa.PrivateKey
	// fingerprint stands for the machine's hardware.
	fingerprint string
}

// Register registers a machine with the id and the code of an activation.
func Register(ctx context.Context, o Options, activationID, code string) (*Identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make the node's key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write the node's key: %w", err)
	}
	id := &Identity{key: key, fingerprint: rand.Text()}
	var out struct{ InstanceId string } //nolint:revive,staticcheck // The name is AWS's.
	err = o.call(ctx, "RegisterManagedInstance", map[string]string{
		"ActivationId": activationID, "ActivationCode": code, "Fingerprint": id.fingerprint,
		"PublicKey": base64.StdEncoding.EncodeToString(public), "PublicKeyType": "Rsa",
	}, func(*http.Request, []byte) error { return nil }, &out)
	id.Node = out.InstanceId
	return id, err
}

// sign signs a request to the root of an endpoint with the key, in place of a secret.
func (id *Identity) sign(region string) func(*http.Request, []byte) error {
	return func(r *http.Request, body []byte) error {
		now := time.Now().UTC()
		date, scope := now.Format("20060102T150405Z"), now.Format("20060102")+"/"+region+"/ssm/aws4_request"
		r.Header.Set("X-Amz-Date", date)
		const signed = "content-length;content-type;host;x-amz-date;x-amz-target"
		var request bytes.Buffer
		fmt.Fprintf(&request, "%s\n/\n\ncontent-length:%s\ncontent-type:%s\nhost:%s\nx-amz-date:%s\nx-amz-target:%s\n\n%s\n%s",
			r.Method, strconv.Itoa(len(body)), r.Header.Get("Content-Type"), r.URL.Host, date, r.Header.Get("X-Amz-Target"), signed, sum(body))
		digest := sha256.Sum256([]byte("AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sum(request.Bytes())))
		signature, err := rsa.SignPSS(rand.Reader, id.key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256})
		if err != nil {
			return fmt.Errorf("sign with the node's key: %w", err)
		}
		r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
			id.Node, scope, signed, base64.StdEncoding.EncodeToString(signature)))
		return nil
	}
}

func sum(b []byte) string {
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:])
}
