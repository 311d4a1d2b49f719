package sigv4

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// VerifyRSA reports whether the key of a node made the signature over this request. Agents
// of nodes that are not of EC2 sign so when they ask for credentials: the header is that of
// Signature Version 4, the signature RSA-PSS with SHA-256 over the same string.
func VerifyRSA(r *http.Request, body []byte, s *Signature, key *rsa.PublicKey) bool {
	_, text, _ := strings.Cut(s.authorization, "Signature=")
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(s.stringToSign(r, body)))
	return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil) == nil
}

// stringToSign is what a client signs.
func (s *Signature) stringToSign(r *http.Request, body []byte) string {
	date := r.Header.Get("X-Amz-Date")
	return strings.Join([]string{algorithm, date, s.scope, hash(s.canonicalRequest(r, body))}, "\n")
}

func (s *Signature) canonicalRequest(r *http.Request, body []byte) string {
	var headers strings.Builder
	for _, name := range s.signedHeaders {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return strings.Join([]string{
		r.Method, cmp.Or(r.URL.EscapedPath(), "/"), strings.ReplaceAll(sortedQuery(r.URL), "+", "%20"),
		headers.String(), strings.Join(s.signedHeaders, ";"), hash(string(body)),
	}, "\n")
}

func sortedQuery(u *url.URL) string { return u.Query().Encode() }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
