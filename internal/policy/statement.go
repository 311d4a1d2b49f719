package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// statementKind is what a statement is for. The order is that of rendering.
type statementKind uint8

const (
	discover statementKind = iota
	start
	ownSessions
	dataChannel
	sessionKey
	statementKinds int = iota
)

// frame is the fixed text of a kind of statement around its Sid's number, its
// elements and its condition. Elements are resources, for discover actions.
type frame struct{ sid, head, tail string }

var frames = [statementKinds]frame{
	discover:    {"Discover", `","Effect":"Allow","Action":`, `,"Resource":"*"`},
	start:       {"Start", `","Effect":"Allow","Action":"ssm:StartSession","Resource":`, ""},
	ownSessions: {"OwnSessions", `","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":`, ""},
	dataChannel: {"DataChannel", `","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":`, ""},
	sessionKey:  {"SessionKey", `","Effect":"Allow","Action":"kms:GenerateDataKey","Resource":`, ""},
}

const (
	documentHead = `{"Version":"2012-10-17","Statement":[`
	documentTail = `]}`
	sidHead      = `{"Sid":"`
)

// element is what varies inside a statement: an ARN or an action. It is kept in
// two parts, so that hundreds of ARNs share the text up to the last slash.
type element struct{ scope, name string }

// splitElement is the inverse of writing scope and name one after the other.
func splitElement(s string) element {
	i := strings.LastIndexByte(s, '/') + 1
	return element{s[:i], s[i:]}
}

// compare is the order of elements inside a statement: alphabetical, except
// that data channels have names before ids.
func (k statementKind) compare(a, b element) int {
	if k == dataChannel {
		a, b = b, a
	}
	return cmp.Or(strings.Compare(a.scope, b.scope), strings.Compare(a.name, b.name))
}

// wrapperSize is the length of a statement without its elements and without the
// number of its Sid.
func (k statementKind) wrapperSize(condition string) int {
	f := &frames[k]
	return len(sidHead) + len(f.sid) + len(f.head) + len(f.tail) + len(condition) + len("}")
}

// sidDigits is the length of what numbers the nth statement of its kind in a
// document: Start, Start2, … Start10.
func sidDigits(n int) int {
	digits := 0
	if n == 1 {
		return 0
	}
	for ; n > 0; n /= 10 {
		digits++
	}
	return digits
}

func appendSid(dst []byte, k statementKind, number int) []byte {
	dst = append(dst, frames[k].sid...)
	if number != 1 {
		dst = strconv.AppendInt(dst, int64(number), 10)
	}
	return dst
}

// sid is the Sid of the nth statement of its kind in a document.
func sid(k statementKind, number int) string { return string(appendSid(nil, k, number)) }

// appendStatement writes one statement; number is its ordinal among those of
// its kind in the document.
func appendStatement(dst []byte, k statementKind, number int, condition string, elements []element) []byte {
	f := &frames[k]
	dst = append(appendSid(append(dst, sidHead...), k, number), f.head...)
	if len(elements) != 1 {
		dst = append(dst, '[')
	}
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		// Nothing in an element needs an escape: see checkGrant and splitElements.
		dst = append(append(append(append(dst, '"'), e.scope...), e.name...), '"')
	}
	if len(elements) != 1 {
		dst = append(dst, ']')
	}
	dst = append(append(dst, f.tail...), condition...)
	return append(dst, '}')
}
