package authz

import (
	"strings"
	"unicode/utf8"
)

// glob is a compiled pattern of literal text, "*" (any characters, none
// included, ":" and "/" too) and "?" (exactly one character).
//
// The pattern is cut at its stars into segments. The first is anchored at the
// start, the last at the end, and each of the others is taken at its leftmost
// place after the one before it: if any placing matches, the leftmost does, so
// nothing is ever tried twice. The cost is at most text length times pattern
// length, and about linear in the text when the pattern has no "?".
type glob struct {
	segments []segment
}

// segment is a part of a pattern without stars.
type segment struct {
	runs []run
	// width is the number of characters that the segment covers.
	width int
}

// run is a number of arbitrary characters followed by literal text.
type run struct {
	skip int
	text string
}

// newGlob compiles pieces that hold no variables.
func newGlob(pieces []piece) glob {
	segments := []segment{{}}
	for _, p := range pieces {
		last := &segments[len(segments)-1]
		switch p.kind {
		case pieceStar:
			segments = append(segments, segment{})
		case pieceAny:
			last.skip()
		default:
			last.literal(p.text)
		}
	}
	return glob{segments: segments}
}

// skip appends one arbitrary character.
func (s *segment) skip() {
	s.width++
	if n := len(s.runs); n > 0 && s.runs[n-1].text == "" {
		s.runs[n-1].skip++
		return
	}
	s.runs = append(s.runs, run{skip: 1})
}

// literal appends text.
func (s *segment) literal(text string) {
	s.width += utf8.RuneCountInString(text)
	if n := len(s.runs); n > 0 {
		s.runs[n-1].text += text
		return
	}
	s.runs = append(s.runs, run{text: text})
}

// match reports whether the pattern covers the whole text.
func (g glob) match(text string) bool {
	first, rest := g.segments[0], g.segments[1:]
	text, ok := first.prefix(text)
	if !ok {
		return false
	}
	if len(rest) == 0 {
		return text == ""
	}
	last := rest[len(rest)-1]
	for _, s := range rest[:len(rest)-1] {
		if text, ok = s.cut(text); !ok {
			return false
		}
	}
	return last.suffix(text)
}

// prefix takes the segment off the start of text.
func (s segment) prefix(text string) (string, bool) {
	for _, r := range s.runs {
		for range r.skip {
			if text == "" {
				return "", false
			}
			_, size := utf8.DecodeRuneInString(text)
			text = text[size:]
		}
		if !strings.HasPrefix(text, r.text) {
			return "", false
		}
		text = text[len(r.text):]
	}
	return text, true
}

// cut finds the segment at its leftmost place and returns what follows it.
func (s segment) cut(text string) (string, bool) {
	if len(s.runs) == 0 {
		return text, true
	}
	for {
		if anchor := s.runs[0]; anchor.skip == 0 {
			at := strings.Index(text, anchor.text)
			if at < 0 {
				return "", false
			}
			text = text[at:]
		}
		if rest, ok := s.prefix(text); ok {
			return rest, true
		}
		if text == "" {
			return "", false
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
}

// suffix reports whether text ends with the segment.
func (s segment) suffix(text string) bool {
	start := len(text)
	for range s.width {
		if start == 0 {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	rest, ok := s.prefix(text[start:])
	return ok && rest == ""
}
