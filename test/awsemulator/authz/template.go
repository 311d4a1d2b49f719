package authz

import (
	"fmt"
	"strings"
)

type pieceKind uint8

const (
	pieceText pieceKind = iota
	pieceStar
	pieceAny
	pieceVariable
)

// piece is one part of a policy string: text to be taken literally, a wildcard,
// or a policy variable.
type piece struct {
	kind pieceKind
	// text is the literal text, or the default value of a variable.
	text string
	// key is the variable's condition key, lower case.
	key string
	// hasDefault is set for "${key, 'default'}".
	hasDefault bool
}

// template is a policy string, parsed: its variables are filled in from the
// request's context, and what is filled in is never read as a wildcard.
type template struct {
	pieces []piece
	// fixed is set when there are no variables: then compiled and literal hold
	// the result once and for all.
	fixed    bool
	compiled glob
	literal  string
}

// dialect says what is special in a policy string.
type dialect struct {
	// variables: "${...}" is substituted (Version 2012-10-17, and a place where
	// variables are allowed).
	variables bool
	// wildcards: "*" and "?" match other characters than themselves.
	wildcards bool
}

// parseTemplate reads a policy string. It fails on a variable that is out of
// form, unknown, or multivalued (which AWS does not substitute).
func parseTemplate(s string, d dialect) (template, error) {
	var t template
	for s != "" {
		p, rest, err := nextPiece(s, d)
		if err != nil {
			return template{}, err
		}
		t.append(p)
		s = rest
	}
	t.fixed = true
	for _, p := range t.pieces {
		t.fixed = t.fixed && p.kind != pieceVariable
	}
	if t.fixed {
		t.compiled = newGlob(t.pieces)
		t.literal = joinText(t.pieces)
	}
	return t, nil
}

// append adds a piece, joining text with text.
func (t *template) append(p piece) {
	if n := len(t.pieces); n > 0 && p.kind == pieceText && t.pieces[n-1].kind == pieceText {
		t.pieces[n-1].text += p.text
		return
	}
	t.pieces = append(t.pieces, p)
}

// nextPiece takes one piece off a string that is not empty.
func nextPiece(s string, d dialect) (piece, string, error) {
	switch {
	case d.wildcards && s[0] == '*':
		return piece{kind: pieceStar}, s[1:], nil
	case d.wildcards && s[0] == '?':
		return piece{kind: pieceAny}, s[1:], nil
	case d.variables && strings.HasPrefix(s, "${"):
		return nextVariable(s)
	}
	end := strings.IndexAny(s[1:], "*?$") + 1
	if end == 0 {
		end = len(s)
	}
	return piece{kind: pieceText, text: s[:end]}, s[end:], nil
}

// nextVariable splits "${...}" from a string that starts with "${".
func nextVariable(s string) (piece, string, error) {
	body := s[len("${"):]
	for _, escaped := range []string{"*", "?", "$"} {
		if rest, ok := strings.CutPrefix(body, escaped+"}"); ok {
			return piece{kind: pieceText, text: escaped}, rest, nil
		}
	}
	end := strings.IndexAny(body, ",}")
	if end < 0 {
		return piece{}, "", fmt.Errorf("policy variable %q has no closing brace; write a literal dollar sign as ${$}", s)
	}
	name, rest := body[:end], body[end:]
	key := strings.ToLower(name)
	spec, known := lookupKey(key)
	if !known {
		return piece{}, "", fmt.Errorf("policy variable ${%s} is not known", name)
	}
	if spec.multivalued {
		return piece{}, "", fmt.Errorf("policy variable ${%s} has several values; only single-valued keys can be substituted", name)
	}
	p := piece{kind: pieceVariable, key: key}
	if rest, ok := strings.CutPrefix(rest, "}"); ok {
		return p, rest, nil
	}
	quoted, ok := strings.CutPrefix(rest, ", '")
	value, rest, closed := strings.Cut(quoted, "'")
	rest, braced := strings.CutPrefix(rest, "}")
	if !ok || !closed || !braced {
		return piece{}, "", fmt.Errorf("policy variable ${%s} has a default value out of form; write ${%s, 'value'}", name, name)
	}
	p.text, p.hasDefault = value, true
	return p, rest, nil
}

// expand fills in the variables; what results are texts and wildcards only. It
// reports false when a variable has neither a value in the context nor a
// default: then the string is as good as null, equal to and like nothing.
func (t template) expand(c *Context) ([]piece, bool) {
	if t.fixed {
		return t.pieces, true
	}
	out := make([]piece, 0, len(t.pieces))
	for _, p := range t.pieces {
		if p.kind == pieceVariable {
			value, ok := p.resolve(c)
			if !ok {
				return nil, false
			}
			p = piece{kind: pieceText, text: value}
		}
		out = append(out, p)
	}
	return out, true
}

// resolve returns a variable's value.
func (p piece) resolve(c *Context) (string, bool) {
	if values := c.values[p.key]; len(values) == 1 {
		return values[0], true
	}
	return p.text, p.hasDefault
}

// matches reports whether the pattern, filled in, covers the whole text.
func (t template) matches(text string, c *Context) bool {
	if t.fixed {
		return t.compiled.match(text)
	}
	pieces, ok := t.expand(c)
	return ok && newGlob(pieces).match(text)
}

// value returns the string, filled in, of a template without wildcards.
func (t template) value(c *Context) (string, bool) {
	if t.fixed {
		return t.literal, true
	}
	pieces, ok := t.expand(c)
	return joinText(pieces), ok
}

// joinText puts literal pieces together.
func joinText(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}
