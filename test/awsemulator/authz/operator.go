package authz

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// valueTest reports whether one value of the request matches one value of the
// policy, before negation.
type valueTest func(got string, c *Context) bool

// operator is a condition operator without its set prefix and IfExists suffix.
type operator struct {
	// family names the operator's type, for messages.
	family string
	// kinds are the key kinds it compares in addition to strings; nil means
	// all.
	kinds []keyKind
	// negated operators match when no value of the policy does, and when the
	// key is absent.
	negated bool
	// compile reads a value of the policy; variables reports whether the document's
	// version has policy variables.
	compile func(value string, variables bool) (valueTest, error)
}

// nullOperator is apart: it looks at the key, not at its values.
const nullOperator = "Null"

// operators are all condition operators that compare values.
var operators = map[string]operator{
	"StringEquals":              {family: "string", compile: stringEquals},
	"StringNotEquals":           {family: "string", compile: stringEquals, negated: true},
	"StringEqualsIgnoreCase":    {family: "string", compile: stringEqualsFold},
	"StringNotEqualsIgnoreCase": {family: "string", compile: stringEqualsFold, negated: true},
	"StringLike":                {family: "string", compile: stringLike},
	"StringNotLike":             {family: "string", compile: stringLike, negated: true},

	"NumericEquals":            numeric(func(cmp int) bool { return cmp == 0 }),
	"NumericNotEquals":         not(numeric(func(cmp int) bool { return cmp == 0 })),
	"NumericLessThan":          numeric(func(cmp int) bool { return cmp < 0 }),
	"NumericLessThanEquals":    numeric(func(cmp int) bool { return cmp <= 0 }),
	"NumericGreaterThan":       numeric(func(cmp int) bool { return cmp > 0 }),
	"NumericGreaterThanEquals": numeric(func(cmp int) bool { return cmp >= 0 }),

	"DateEquals":            date(func(cmp int) bool { return cmp == 0 }),
	"DateNotEquals":         not(date(func(cmp int) bool { return cmp == 0 })),
	"DateLessThan":          date(func(cmp int) bool { return cmp < 0 }),
	"DateLessThanEquals":    date(func(cmp int) bool { return cmp <= 0 }),
	"DateGreaterThan":       date(func(cmp int) bool { return cmp > 0 }),
	"DateGreaterThanEquals": date(func(cmp int) bool { return cmp >= 0 }),

	"Bool":         {family: "boolean", kinds: []keyKind{kindBool}, compile: boolEquals},
	"BinaryEquals": {family: "binary", kinds: []keyKind{}, compile: binaryEquals},
	"IpAddress":    {family: "IP address", kinds: []keyKind{kindIP}, compile: inAddressRange},
	"NotIpAddress": {family: "IP address", kinds: []keyKind{kindIP}, compile: inAddressRange, negated: true},

	// AWS: the Equals and the Like forms behave identically.
	"ArnEquals":    {family: "ARN", kinds: []keyKind{kindARN}, compile: arnLike},
	"ArnNotEquals": {family: "ARN", kinds: []keyKind{kindARN}, compile: arnLike, negated: true},
	"ArnLike":      {family: "ARN", kinds: []keyKind{kindARN}, compile: arnLike},
	"ArnNotLike":   {family: "ARN", kinds: []keyKind{kindARN}, compile: arnLike, negated: true},
}

// accepts reports whether the operator can be used with a key of this kind.
func (o operator) accepts(kind keyKind) bool {
	return o.kinds == nil || kind == kindString || slices.Contains(o.kinds, kind)
}

// not is the operator's negation.
func not(o operator) operator {
	o.negated = true
	return o
}

func stringEquals(value string, variables bool) (valueTest, error) {
	return compareText(value, variables, func(want, got string) bool { return want == got })
}

func stringEqualsFold(value string, variables bool) (valueTest, error) {
	return compareText(value, variables, strings.EqualFold)
}

// compareText compares whole strings; wildcards mean themselves.
func compareText(value string, variables bool, equal func(want, got string) bool) (valueTest, error) {
	t, err := parseTemplate(value, dialect{variables: variables})
	return func(got string, c *Context) bool {
		want, ok := t.value(c)
		return ok && equal(want, got)
	}, err
}

func stringLike(value string, variables bool) (valueTest, error) {
	t, err := parseTemplate(value, dialect{variables: variables, wildcards: true})
	return t.matches, err
}

// numeric builds the operators on numbers from a test of how the request's
// number compares with the policy's.
func numeric(holds func(cmp int) bool) operator {
	compile := func(value string, _ bool) (valueTest, error) {
		want, err := parseNumber(value)
		return func(got string, _ *Context) bool {
			n, err := parseNumber(got)
			return err == nil && holds(n.Cmp(want))
		}, err
	}
	return operator{family: "numeric", kinds: []keyKind{kindNumeric, kindEpoch}, compile: compile}
}

// date builds the operators on dates from a test of how the request's date
// compares with the policy's.
func date(holds func(cmp int) bool) operator {
	compile := func(value string, _ bool) (valueTest, error) {
		want, err := parseDate(value)
		return func(got string, _ *Context) bool {
			t, err := parseDate(got)
			return err == nil && holds(t.Compare(want))
		}, err
	}
	return operator{family: "date", kinds: []keyKind{kindDate, kindEpoch}, compile: compile}
}

func boolEquals(value string, _ bool) (valueTest, error) {
	want, err := parseBool(value)
	return func(got string, _ *Context) bool {
		b, err := parseBool(got)
		return err == nil && b == want
	}, err
}

func binaryEquals(value string, _ bool) (valueTest, error) {
	want, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("%q is not base64", value)
	}
	return func(got string, _ *Context) bool {
		b, err := base64.StdEncoding.Strict().DecodeString(got)
		return err == nil && bytes.Equal(b, want)
	}, nil
}

func inAddressRange(value string, _ bool) (valueTest, error) {
	want, err := parseAddressRange(value)
	return func(got string, _ *Context) bool {
		addr, err := parseAddress(got)
		return err == nil && want.Contains(addr)
	}, err
}

// arnLike compares ARNs component by component: other than in a Resource, a
// wildcard does not reach over a colon into the next component.
func arnLike(value string, variables bool) (valueTest, error) {
	t, err := parseTemplate(value, dialect{variables: variables, wildcards: true})
	if err != nil {
		return nil, err
	}
	if !t.fixed {
		return func(got string, c *Context) bool {
			pieces, ok := t.expand(c)
			return ok && newARNPattern(pieces).match(got)
		}, nil
	}
	if _, err := splitARN(value); err != nil {
		return nil, err
	}
	pattern := newARNPattern(t.pieces)
	return func(got string, _ *Context) bool { return pattern.match(got) }, nil
}

// arnPattern is a pattern for each component of an ARN.
type arnPattern []glob

// newARNPattern cuts pieces at their first five literal colons.
func newARNPattern(pieces []piece) arnPattern {
	fields := [][]piece{nil}
	for _, p := range pieces {
		if p.kind != pieceText {
			fields[len(fields)-1] = append(fields[len(fields)-1], p)
			continue
		}
		for i, text := range strings.SplitN(p.text, ":", arnFields-len(fields)+1) {
			if i > 0 {
				fields = append(fields, nil)
			}
			if text != "" {
				fields[len(fields)-1] = append(fields[len(fields)-1], piece{kind: pieceText, text: text})
			}
		}
	}
	pattern := make(arnPattern, len(fields))
	for i, field := range fields {
		pattern[i] = newGlob(field)
	}
	return pattern
}

// match reports whether s is an ARN that matches in each component.
func (p arnPattern) match(s string) bool {
	fields, err := splitARN(s)
	if err != nil || len(p) != arnFields {
		return false
	}
	for i, field := range fields {
		if !p[i].match(field) {
			return false
		}
	}
	return true
}
