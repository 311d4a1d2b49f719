package authz

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeArray
	nodeObject
)

// node is a JSON value. Unlike a map it keeps the order of members, and unlike
// a struct it distinguishes a missing member from an empty one.
type node struct {
	kind nodeKind
	// text is the string, or the spelling of the number or boolean.
	text    string
	items   []node
	members []member
}

type member struct {
	name  string
	value node
}

// maxDepth is more than twice what the policy grammar can use.
const maxDepth = 16

// decodeJSON reads one JSON value and nothing after it. Beyond what JSON asks
// for it rejects characters that IAM does not take, members given twice and
// half surrogate pairs.
func decodeJSON(raw []byte) (node, error) {
	if err := checkCharacters(raw); err != nil {
		return node{}, err
	}
	if !json.Valid(raw) {
		return node{}, errors.New("the document is not valid JSON")
	}
	if hasLoneSurrogate(raw) {
		return node{}, errors.New(`the document has half of a \u surrogate pair`)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	n, err := decodeNode(d, maxDepth)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("the document goes on after its end")
	}
	return n, nil
}

// checkCharacters keeps to the pattern of IAM's policyDocument parameter: tab,
// line feed, carriage return and U+0020 to U+00FF, in UTF-8.
func checkCharacters(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("the document is not UTF-8")
	}
	for _, r := range string(raw) {
		if r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r <= 0xff) {
			continue
		}
		return fmt.Errorf(`the document holds the character %U, which IAM does not take; write it as \u%04x inside a string`, r, utf16.Encode([]rune{r})[0])
	}
	return nil
}

// hasLoneSurrogate looks for \uD800 to \uDFFF out of pair in valid JSON, which
// encoding/json would silently replace.
func hasLoneSurrogate(raw []byte) bool {
	s := string(raw)
	for {
		at := strings.IndexByte(s, '\\')
		if at < 0 {
			return false
		}
		s = s[at:]
		first, escaped := unicodeEscape(s)
		switch {
		case !escaped:
			s = s[2:]
		case !utf16.IsSurrogate(first):
			s = s[6:]
		default:
			second, _ := unicodeEscape(s[6:])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return true
			}
			s = s[12:]
		}
	}
}

// unicodeEscape reads a \uXXXX at the start of s.
func unicodeEscape(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	b, err := hex.DecodeString(s[2:6])
	if err != nil {
		return 0, false
	}
	return rune(b[0])<<8 | rune(b[1]), true
}

// decodeNode reads the next value.
func decodeNode(d *json.Decoder, depth int) (node, error) {
	if depth == 0 {
		return node{}, errors.New("the document is nested too deeply for a policy")
	}
	token, err := d.Token()
	if err != nil {
		return node{}, fmt.Errorf("the document is not valid JSON: %w", err)
	}
	switch t := token.(type) {
	case string:
		return node{kind: nodeString, text: t}, nil
	case json.Number:
		return node{kind: nodeNumber, text: t.String()}, nil
	case bool:
		return node{kind: nodeBool, text: fmt.Sprint(t)}, nil
	case json.Delim:
		if t == '{' {
			return decodeObject(d, depth)
		}
		return decodeArray(d, depth)
	default:
		return node{kind: nodeNull}, nil
	}
}

func decodeArray(d *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeArray}
	for d.More() {
		item, err := decodeNode(d, depth-1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token() // the closing bracket
	return n, err
}

func decodeObject(d *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeObject}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return node{}, fmt.Errorf("the document is not valid JSON: %w", err)
		}
		key, _ := name.(string) // valid JSON has nothing else here
		if seen[key] {
			return node{}, fmt.Errorf("%q is given twice in one object", key)
		}
		seen[key] = true
		value, err := decodeNode(d, depth-1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: key, value: value})
	}
	_, err := d.Token() // the closing brace
	return n, err
}

// stringList reads a string or an array of at least one string.
func (n node) stringList() ([]string, error) {
	values := []node{n}
	if n.kind == nodeArray {
		values = n.items
	}
	if len(values) == 0 {
		return nil, errors.New("the list is empty")
	}
	out := make([]string, len(values))
	for i, v := range values {
		if v.kind != nodeString {
			return nil, errors.New("write a string or a list of strings")
		}
		out[i] = v.text
	}
	return out, nil
}
