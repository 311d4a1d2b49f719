package policy

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// literal writes a value for an operator that compares texts exactly, such as
// StringEquals, so that IAM reads it as itself: "${aws:username}" as
// "${$}{aws:username}". IAM substitutes variables there, and takes * and ? for
// themselves. No more is escaped than that: other evaluators of policies leave ${*} and
// ${?} as they are, and would deny.
var literal = strings.NewReplacer("${", "${$}{").Replace

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string of the characters that IAM takes in a
// document: U+0020 to U+00FF as they are, characters above as \uXXXX (in
// surrogate pairs), and <, > and & plain. s must be [writable].
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0
	for i, r := range s {
		if r > 0x1f && r <= 0xff && r != '"' && r != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + utf8.RuneLen(r)
		dst = appendEscaped(dst, r)
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(dst, high), low)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// writable reports whether s is UTF-8 without control characters other than
// tab, line feed and carriage return, the three that IAM takes.
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}
