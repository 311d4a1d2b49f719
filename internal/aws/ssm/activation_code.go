package ssm

import (
	"fmt"
	"log/slog"
)

// hiddenCode is what an activation code prints as.
const hiddenCode = "[activation code]"

// ActivationCode is the secret of an activation. However it is printed, logged or
// marshaled, also as a field of something else, the output is a placeholder; only
// Reveal returns the code. The zero value is no code.
type ActivationCode struct {
	// text is behind a pointer, because fmt prints fields by reflection, without
	// their methods, where they are not exported or the verb is a wrong one.
	text *string
}

// NewActivationCode hides a code.
func NewActivationCode(text string) ActivationCode { return ActivationCode{&text} }

// Reveal returns the code; "" when there is none.
func (c ActivationCode) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Equal reports whether two codes are the same.
func (c ActivationCode) Equal(other ActivationCode) bool { return c.Reveal() == other.Reveal() }

// String implements fmt.Stringer.
func (ActivationCode) String() string { return hiddenCode }

// GoString implements fmt.GoStringer.
func (ActivationCode) GoString() string { return hiddenCode }

// Format implements fmt.Formatter, for every verb.
func (ActivationCode) Format(state fmt.State, _ rune) {
	// An error here reaches no caller: Format has no result.
	_, _ = state.Write([]byte(hiddenCode))
}

// MarshalText implements encoding.TextMarshaler.
func (ActivationCode) MarshalText() ([]byte, error) { return []byte(hiddenCode), nil }

// MarshalJSON implements json.Marshaler.
func (ActivationCode) MarshalJSON() ([]byte, error) { return []byte(`"` + hiddenCode + `"`), nil }

// LogValue implements slog.LogValuer.
func (ActivationCode) LogValue() slog.Value { return slog.StringValue(hiddenCode) }

// MarshalLog implements logr.Marshaler.
func (ActivationCode) MarshalLog() any { return hiddenCode }
