package service

import (
	"regexp"
	"unicode/utf8"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// ValidationError is the error with which IAM and STS refuse a parameter.
func ValidationError(format string, args ...any) *wire.Error {
	return wire.Errorf(400, "ValidationError", "1 validation error detected: "+format, args...)
}

// Pattern is what AWS's model says of a string: its characters and length.
type Pattern struct {
	// Member is the parameter's name as the error spells it.
	Member string
	// Regexp matches the whole value.
	Regexp *regexp.Regexp
	// Text is the expression as AWS writes it.
	Text string
	// Min and Max bound the length in characters.
	Min, Max int
}

// NewPattern compiles the expression, which must match whole values.
func NewPattern(member, expression string, minLength, maxLength int) Pattern {
	return Pattern{
		Member: member, Text: expression, Min: minLength, Max: maxLength,
		Regexp: regexp.MustCompile(`^(?:` + expression + `)$`),
	}
}

// Check refuses a value outside the pattern.
func (p Pattern) Check(value string) error {
	length := utf8.RuneCountInString(value)
	switch {
	case length > p.Max:
		return ValidationError("Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", value, p.Member, p.Max)
	case length < p.Min:
		return ValidationError("Value '%s' at '%s' failed to satisfy constraint: Member must have length greater than or equal to %d", value, p.Member, p.Min)
	case !p.Regexp.MatchString(value):
		return ValidationError("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, p.Member, p.Text)
	}
	return nil
}

// InRange refuses a number outside its bounds; nil takes the default.
func InRange(member string, value *int32, low, high, byDefault int32) (int, error) {
	if value == nil {
		return int(byDefault), nil
	}
	if *value < low {
		return 0, ValidationError("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *value, member, low)
	}
	if *value > high {
		return 0, ValidationError("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *value, member, high)
	}
	return int(*value), nil
}
