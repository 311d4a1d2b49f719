// Package sigv4 reads and checks AWS Signature Version 4 as clients send it
// in the Authorization header.
package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// Signature is what an Authorization header says about its request.
type Signature struct {
	// AccessKeyID names the credentials.
	AccessKeyID string
	// Region and Service come from the credential scope.
	Region, Service string
	// SessionToken accompanies temporary credentials.
	SessionToken string

	authorization string
	scope         string // without the key
	signedHeaders []string
}

// Parse reads the Authorization header. It returns nil without an error when
// the request carries none.
func Parse(r *http.Request) (*Signature, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return nil, fmt.Errorf("the Authorization header does not begin with %s", algorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[key] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return nil, fmt.Errorf("the credential scope is not of the form KEY/DATE/REGION/SERVICE/aws4_request")
	}
	if parts["SignedHeaders"] == "" || parts["Signature"] == "" {
		return nil, fmt.Errorf("the Authorization header lacks SignedHeaders or Signature")
	}
	return &Signature{
		AccessKeyID: scope[0], Region: scope[2], Service: scope[3],
		SessionToken:  r.Header.Get("X-Amz-Security-Token"),
		authorization: header, scope: strings.Join(scope[1:], "/"),
		signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
	}, nil
}

// Verifier checks signatures. It keeps derived keys; it is safe for
// concurrent use.
type Verifier struct{ signer *v4.Signer }

// NewVerifier returns a Verifier.
func NewVerifier() *Verifier { return &Verifier{signer: v4.NewSigner()} }

// Verify reports whether the secret made the signature over this request: it
// signs the same headers and body again and compares.
func (v *Verifier) Verify(r *http.Request, body []byte, s *Signature, secret string) bool {
	signedAt, err := time.Parse(timeFormat, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	again := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	for _, name := range s.signedHeaders {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = r.ContentLength
			again.Header.Set(name, strconv.FormatInt(r.ContentLength, 10))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = slices.Clone(r.Header.Values(name))
		}
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		sum := sha256.Sum256(body)
		payload = hex.EncodeToString(sum[:])
	}
	credentials := aws.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: secret, SessionToken: s.SessionToken}
	if err := v.signer.SignHTTP(context.WithoutCancel(r.Context()), credentials, again, payload, s.Service, s.Region, signedAt); err != nil {
		return false
	}
	return sameSignature(again.Header.Get("Authorization"), s.authorization)
}

// sameSignature compares the signatures of two headers in constant time.
func sameSignature(a, b string) bool {
	_, x, _ := strings.Cut(a, "Signature=")
	_, y, _ := strings.Cut(b, "Signature=")
	return x != "" && subtle.ConstantTimeCompare([]byte(x), []byte(y)) == 1
}
