package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// mostViolations is how many violations a message names, and mostAllowed how many of
	// the values that a rule allows. Messages are for people.
	mostViolations = 5
	mostAllowed    = 10
)

// violations are all that the guardrails do not allow of an object.
type violations struct {
	in   AccountAccess
	list []violation
}

// violation is one of them. The rule is nil where no rule covers what is asked for.
type violation struct {
	rule *v1alpha1.Guardrail
	text string
}

// add adds a violation of a rule: a sentence that says what to change. "" is none.
func (v *violations) add(rule *v1alpha1.Guardrail, text string) {
	if text != "" {
		v.list = append(v.list, violation{rule, text})
	}
}

// addUnruled adds what only a guardrail would allow, and none covers.
func (v *violations) addUnruled(text string) { v.list = append(v.list, violation{nil, text}) }

// denial names the violations; nil where there is none. nothing is a sentence that says what
// they cause.
func (v *violations) denial(nothing string) *Denial {
	if len(v.list) == 0 {
		return nil
	}
	shown := v.list[:min(len(v.list), mostViolations)]
	sentences := make([]string, 0, len(shown)+2)
	for i, one := range shown {
		switch {
		case one.rule == nil:
			sentences = append(sentences, one.text)
		case i > 0 && shown[i-1].rule == one.rule:
			sentences = append(sentences, "Also: "+one.text)
		default:
			sentences = append(sentences, fmt.Sprintf("Guardrail %q of AWSAccount %q does not allow this: %s", one.rule.Name, v.in.Account.Name, one.text))
		}
	}
	if more := len(v.list) - len(shown); more > 0 {
		sentences = append(sentences, fmt.Sprintf("There are %d more violations.", more))
	}
	return refuse(v1alpha1.ReasonGuardrailViolated, "%s", strings.Join(append(sentences, nothing), " "))
}

// some lists values that a rule allows, the first ones of many.
func some(values []string) string {
	if more := len(values) - mostAllowed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:mostAllowed], ", "), more)
	}
	return strings.Join(values, ", ")
}

func texts[T ~string](values []T) []string {
	list := slices.Grow([]string(nil), len(values))
	for _, v := range values {
		list = append(list, string(v))
	}
	return list
}
