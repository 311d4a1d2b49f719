package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

type qualifier uint8

const (
	noQualifier qualifier = iota
	forAllValues
	forAnyValue
)

// condition is one key of one operator of a Condition element; all of a
// statement's conditions must hold.
type condition struct {
	key       string // lower case
	qualifier qualifier
	ifExists  bool
	negated   bool
	// isNull conditions test the presence of the key: wantAbsent lists the
	// wanted answers.
	isNull     bool
	wantAbsent []bool
	// tests are the policy's values; any one of them has to match.
	tests []valueTest
}

// operatorName is the name of an operator as a policy spells it, taken apart.
type operatorName struct {
	base      string
	qualifier qualifier
	ifExists  bool
}

// parseOperatorName takes the set prefix and the IfExists suffix off.
func parseOperatorName(name string) operatorName {
	out := operatorName{base: name}
	if base, ok := strings.CutPrefix(out.base, "ForAllValues:"); ok {
		out.base, out.qualifier = base, forAllValues
	} else if base, ok := strings.CutPrefix(out.base, "ForAnyValue:"); ok {
		out.base, out.qualifier = base, forAnyValue
	}
	out.base, out.ifExists = strings.CutSuffix(out.base, "IfExists")
	return out
}

// parseConditions reads a Condition element. Empty objects hold no condition,
// as in AWS; an empty list of values is rejected, because a negated operator
// would match everything with it.
func parseConditions(path string, n node, variables bool) ([]condition, error) {
	if n.kind != nodeObject {
		return nil, &ParseError{path, "write an object of condition operators"}
	}
	var out []condition
	for _, m := range n.members {
		path := path + "." + m.name
		name := parseOperatorName(m.name)
		op, known := operators[name.base]
		isNull := name.base == nullOperator
		switch {
		case !known && !isNull:
			return nil, &ParseError{path, "the condition operator is not known"}
		case isNull && (name.ifExists || name.qualifier != noQualifier):
			return nil, &ParseError{path, "the Null operator takes neither IfExists nor a set prefix"}
		case m.value.kind != nodeObject:
			return nil, &ParseError{path, "write an object of condition keys"}
		}
		seen := map[string]bool{}
		for _, entry := range m.value.members {
			key := strings.ToLower(entry.name)
			if seen[key] {
				return nil, &ParseError{path, fmt.Sprintf("the condition key %q is given twice; case does not tell keys apart", entry.name)}
			}
			seen[key] = true
			c, err := parseCondition(name, op, entry, variables)
			if err != nil {
				return nil, &ParseError{path + "." + entry.name, err.Error()}
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// parseCondition reads one condition key and its values.
func parseCondition(name operatorName, op operator, entry member, variables bool) (condition, error) {
	c := condition{
		key:       strings.ToLower(entry.name),
		qualifier: name.qualifier,
		ifExists:  name.ifExists,
		negated:   op.negated,
		isNull:    name.base == nullOperator,
	}
	spec, known := lookupKey(c.key)
	switch {
	case !known:
		return c, errors.New("the condition key is not known")
	case c.isNull:
	case !op.accepts(spec.kind):
		return c, fmt.Errorf("a condition operator of type %s cannot be used with this key", op.family)
	case spec.multivalued && name.qualifier == noQualifier:
		return c, errors.New("the key can have several values; use ForAllValues: or ForAnyValue: with it")
	}
	values, err := conditionValues(entry.value)
	if err != nil {
		return c, err
	}
	for _, value := range values {
		if err := c.addValue(op, value, variables); err != nil {
			return c, err
		}
	}
	return c, nil
}

// addValue compiles one value of the policy into the condition.
func (c *condition) addValue(op operator, value string, variables bool) error {
	if c.isNull {
		absent, err := parseBool(value)
		c.wantAbsent = append(c.wantAbsent, absent)
		return err
	}
	test, err := op.compile(value, variables)
	c.tests = append(c.tests, test)
	return err
}

// conditionValues reads a value or a list of values: strings, numbers and
// booleans, the latter two as they are spelled.
func conditionValues(n node) ([]string, error) {
	values := []node{n}
	if n.kind == nodeArray {
		values = n.items
	}
	if len(values) == 0 {
		return nil, errors.New("the list of values is empty")
	}
	out := make([]string, len(values))
	for i, v := range values {
		if v.kind != nodeString && v.kind != nodeNumber && v.kind != nodeBool {
			return nil, errors.New("write a string, a number, a boolean or a list of these")
		}
		out[i] = v.text
	}
	return out, nil
}

// holds reports whether the context satisfies the condition.
func (c *condition) holds(ctx *Context) bool {
	values := ctx.values[c.key]
	absent := len(values) == 0
	if c.isNull {
		return slices.Contains(c.wantAbsent, absent)
	}
	switch c.qualifier {
	// IfExists changes nothing under a set operator: IAM resolves the set first,
	// so that ForAnyValue fails without values, with IfExists too.
	case forAllValues:
		return isEmptySet(values) || c.holdsForAll(values, ctx)
	case forAnyValue:
		return !isEmptySet(values) && c.holdsForAny(values, ctx)
	default:
		// A single-valued key has at most one value: the request was checked.
		if absent {
			return c.negated || c.ifExists
		}
		return c.holdsFor(values[0], ctx)
	}
}

// isEmptySet: the set operators take values that are but empty strings for an
// empty data set ("IAM JSON policy elements", condition set operators).
func isEmptySet(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

func (c *condition) holdsForAll(values []string, ctx *Context) bool {
	for _, v := range values {
		if !c.holdsFor(v, ctx) {
			return false
		}
	}
	return true
}

func (c *condition) holdsForAny(values []string, ctx *Context) bool {
	for _, v := range values {
		if c.holdsFor(v, ctx) {
			return true
		}
	}
	return false
}

// holdsFor compares one value of the request with the policy's: an operator
// wants one of them to match, a negated operator wants none to.
func (c *condition) holdsFor(value string, ctx *Context) bool {
	for _, test := range c.tests {
		if test(value, ctx) {
			return !c.negated
		}
	}
	return c.negated
}
