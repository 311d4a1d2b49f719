package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// verdict of a policy document on one request.
type verdict int

const (
	denies verdict = iota
	// unclear: it depends on what is not known here, such as conditions.
	unclear
	allows
)

// request is what a policy document is asked about. A policy's verdict on it
// is never surer than what is given here.
type request struct {
	action string
	// resource is empty where the document is about one resource, and so names
	// none, as in a role's trust.
	resource string
	// service is the principal, by any of its names; empty where the principal
	// is a role that is not known, or the document has no principals.
	service []string
	// keys of conditions, in lower case, whose values are known.
	keys map[string]string
}

// statement of a policy document.
type statement struct {
	Effect       string
	Action       words
	NotAction    words
	Resource     words
	NotResource  words
	Principal    *principals
	NotPrincipal *principals
	Condition    map[string]map[string]words
}

// parsePolicy reads a policy document of any kind.
func parsePolicy(text string) ([]statement, error) {
	var document struct{ Statement oneOrMore[statement] }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("reading a policy document: %w", err)
	}
	for i := range document.Statement {
		if s := &document.Statement[i]; s.Effect != "Allow" && s.Effect != "Deny" || len(s.Action)+len(s.NotAction) == 0 {
			return nil, errors.New("reading a policy document: a statement has no effect or no action")
		}
	}
	return document.Statement, nil
}

// oneOrMore is a list that may be written as its only element.
type oneOrMore[T any] []T

// UnmarshalJSON reads a list or a single element.
func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = oneOrMore[T]{one}
	return nil
}

// word is a string, or a boolean or number written without quotes.
type word string

// UnmarshalJSON reads a scalar.
func (w *word) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '"' {
		if bytes.ContainsAny(data[:1], "{[n") {
			return errors.New("a string was expected")
		}
		*w = word(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(w))
}

type words = oneOrMore[word]

// principals of a statement: every principal, or lists by kind.
type principals struct {
	everybody bool
	kinds     map[string]words
}

// UnmarshalJSON reads "*" or lists by kind.
func (p *principals) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		return json.Unmarshal(data, &p.kinds)
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s != "*" {
		return errors.New(`a principal that is no list has to be "*"`)
	}
	p.everybody = true
	return nil
}

// evaluate as IAM does: a denial wins, and what no statement allows is denied.
func evaluate(statements []statement, r request) verdict {
	result := denies
	doubt := false
	for i := range statements {
		s := &statements[i]
		applies := s.applies(r)
		switch {
		case applies == none:
		case s.Effect == "Deny" && applies == all:
			return denies
		case s.Effect == "Deny":
			doubt = true
		case applies == all:
			result = allows
		case result == denies:
			result = unclear
		}
	}
	if doubt && result == allows {
		return unclear
	}
	return result
}

// applies: none is no, some is perhaps, all is yes.
func (s *statement) applies(r request) extent {
	if !matchesAction(s, r.action) || !matchesResource(s, r.resource) {
		return none
	}
	who := s.principal(r.service)
	if who == none {
		return none
	}
	return min(who, s.conditions(r.keys))
}

func matchesAction(s *statement, action string) bool {
	match := func(w word) bool { return glob(strings.ToLower(string(w)), strings.ToLower(action)) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, match)
	}
	return slices.ContainsFunc(s.Action, match)
}

func matchesResource(s *statement, resource string) bool {
	if resource == "" {
		return true
	}
	match := func(w word) bool { return glob(string(w), resource) }
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, match)
	}
	return len(s.Resource) == 0 || slices.ContainsFunc(s.Resource, match)
}

// principal reports whether the statement is about the service or, without
// one, about a role that is not known.
func (s *statement) principal(service []string) extent {
	switch {
	case s.NotPrincipal != nil:
		return some
	case s.Principal == nil || s.Principal.everybody:
		return all
	case len(service) > 0:
		if slices.ContainsFunc(s.Principal.kinds["Service"], func(w word) bool { return slices.Contains(service, string(w)) }) {
			return all
		}
		return none
	case slices.Contains(s.Principal.kinds["AWS"], "*"):
		return all
	case len(s.Principal.kinds["AWS"]) > 0:
		return some
	default:
		return none
	}
}

// conditions reports whether all conditions hold, some do not, or it is not
// known.
func (s *statement) conditions(known map[string]string) extent {
	result := all
	for op, keys := range s.Condition {
		for key, values := range keys {
			value, ok := known[strings.ToLower(key)]
			if !ok {
				result = min(result, some)
				continue
			}
			result = min(result, holds(op, value, values))
		}
	}
	return result
}

// holds judges the operators that compare with strings and patterns.
func holds(op, value string, wanted words) extent {
	op = strings.TrimSuffix(op, "IfExists")
	var match func(w word) bool
	switch op {
	case "StringEquals":
		match = func(w word) bool { return string(w) == value }
	case "StringLike", "ArnLike", "ArnEquals":
		match = func(w word) bool { return glob(string(w), value) }
	default:
		return some
	}
	if slices.ContainsFunc(wanted, match) {
		return all
	}
	if slices.ContainsFunc(wanted, func(w word) bool { return strings.Contains(string(w), "${") }) {
		return some
	}
	return none
}

// glob matches * and ? as IAM does.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
