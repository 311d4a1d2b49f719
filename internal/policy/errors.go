package policy

import (
	"errors"
	"fmt"
	"strings"
)

// InvalidError says that a value cannot be rendered safely.
type InvalidError struct {
	// Grant is the ID of the grant; empty when the account, the principal or the
	// quotas are meant.
	Grant string
	// Field is where the value is, as in "targets[0].tags".
	Field string
	// Value is the offending value.
	Value string
	// Reason says what is wrong and what would be right.
	Reason string
}

// Error is a sentence without the grant's ID, which people do not know it by.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s %q cannot be used: %s", e.Field, e.Value, e.Reason)
}

// TooLargeError says that the grants do not fit into the quotas, and by how much.
type TooLargeError struct {
	Principal Principal
	// Needed and Allowed count characters when Indivisible, else policies; then
	// Needed is a lower bound.
	Needed, Allowed int
	// Indivisible means that one statement with a single element exceeds the
	// size of a policy. Otherwise there would be too many policies.
	Indivisible bool
	// PolicySize is the quota that the counts were made with, in characters.
	PolicySize int
	// Grants are the IDs of the grants that do not fit, sorted.
	Grants []string
}

// Error is a sentence that says by how much, and the way out.
func (e *TooLargeError) Error() string {
	if e.Indivisible {
		return fmt.Sprintf("one statement for %s needs %d characters, %d more than the %d that a policy may have: use fewer or shorter tags, or fewer source ranges",
			e.Principal, e.Needed, e.Needed-e.Allowed, e.Allowed)
	}
	return fmt.Sprintf("%s needs at least %d policies of %d characters, %d more than the %d it may have: target by tags instead of instance ids, detach other policies, or raise the quota",
		e.Principal, e.Needed, e.PolicySize, e.Needed-e.Allowed, e.Allowed)
}

// Shortfall is why the policies do not hold a grant whole.
type Shortfall struct {
	// TooLarge: the quotas keep it out. Otherwise it cannot be rendered.
	TooLarge bool
	// Message is a sentence that says the way out.
	Message string
}

// Shortfalls takes the error and the incomplete grants of [Compile] or [Fit] apart, by the
// ID of the grant; "" is the account, the principal or the quotas.
func Shortfalls(err error, incomplete []string) map[string]Shortfall {
	found := map[string]Shortfall{}
	for _, e := range joinedIn(err) {
		if invalid, ok := errors.AsType[*InvalidError](e); ok {
			found[invalid.Grant] = Shortfall{Message: sentence(e.Error())}
			continue
		}
		large := tooLarge(e)
		if large == nil {
			continue
		}
		whole := Shortfall{TooLarge: true, Message: sentence(e.Error())}
		for _, id := range large.Grants {
			found[id] = whole
		}
		for _, id := range incomplete {
			if _, ok := found[id]; !ok {
				found[id] = whole
			}
		}
	}
	return found
}

// joinedIn lists the errors that errors.Join put together.
func joinedIn(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// sentence makes an error read as one.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
