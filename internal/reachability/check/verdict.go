package check

import (
	"fmt"
	"slices"
	"strings"
)

func pass(name Name) Check { return Check{Name: name, Result: Pass, Reason: InOrder} }

func notNeeded(name Name) Check { return Check{Name: name, Result: Pass, Reason: NotNeeded} }

func fail(name Name, reason Reason, message, remedy string) Check {
	return Check{Name: name, Result: Fail, Reason: reason, Message: message, Remedy: remedy}
}

func warn(name Name, reason Reason, message, remedy string) Check {
	return Check{Name: name, Result: Warn, Reason: reason, Message: message, Remedy: remedy}
}

// as is the same finding at another weight.
func (c Check) as(r Result) Check {
	c.Result = r
	return c
}

func notUnderstood(name Name, what string) Check {
	return Check{
		Name: name, Result: NotChecked, Reason: NotUnderstood,
		Message: fmt.Sprintf("The check %s was not made: %s cannot be read.", name, what),
		Remedy:  "Look at it yourself.",
	}
}

// gaps are the facts that a check lacks.
type gaps []Missing

// need takes a fact, or notes that it is missing.
func need[T any](g *gaps, k Known[T]) (T, bool) {
	value, known := k.Get()
	if !known {
		*g = append(*g, k.Missing())
	}
	return value, known
}

// notRead notes a fact that was not read.
func (g *gaps) notRead() { *g = append(*g, Missing{}) }

// check says what is missing.
func (g gaps) check(name Name) Check {
	var denied, failed, owners []string
	for _, m := range g {
		switch {
		case m.Denied:
			denied = append(denied, m.Action)
		case m.Action != "":
			failed = append(failed, m.Action)
		case m.Owner != "":
			owners = append(owners, m.Owner)
		}
	}
	denied, failed, owners = sortedSet(denied), sortedSet(failed), sortedSet(owners)
	c := Check{Name: name, Result: NotChecked}
	switch {
	case len(denied) > 0:
		c.Reason, c.Missing = PermissionMissing, denied
		c.Message = fmt.Sprintf("The check %s was not made: the operator may not call %s.", name, list(denied))
		c.Remedy = fmt.Sprintf("Allow the operator's role %s.", list(denied))
	case len(failed) > 0:
		c.Reason = ReadFailed
		c.Message = fmt.Sprintf("The check %s was not made: %s gave no answer.", name, list(failed))
		c.Remedy = "Wait: the operator asks again at its next resync."
	case len(owners) > 0:
		c.Reason = SharedVPC
		c.Message = fmt.Sprintf("The check %s was not made: the VPC belongs to account %s, which alone sees all of it.", name, list(owners))
		c.Remedy = fmt.Sprintf("Have account %s look at the endpoints, routes and DNS of the VPC.", list(owners))
	default:
		c.Reason = NotRead
		c.Message = fmt.Sprintf("The check %s was not made: what it needs was not read.", name)
		c.Remedy = "Look at the other checks first."
	}
	return c
}

// worse is the weightier of two findings: the first of two equal ones.
func worse(a, b Check) Check {
	if weight(b.Result) > weight(a.Result) {
		return b
	}
	return a
}

func weight(r Result) int {
	return slices.Index([]Result{Pass, NotChecked, Warn, Fail}, r)
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// list joins words as in a sentence.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}
