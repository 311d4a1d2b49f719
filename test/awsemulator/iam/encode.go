package iam

import "strings"

const upperHex = "0123456789ABCDEF"

// encodeDocument writes a document as IAM returns it: percent-encoded by RFC
// 3986, everything but unreserved characters. Text that reads as a form ("+"
// for a space) would be another.
func encodeDocument(text string) string {
	var b strings.Builder
	b.Grow(len(text) * 2)
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}
