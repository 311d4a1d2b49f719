package policy

// Within reports whether a policy document allows nothing that bound does not
// allow too, both as IAM holds them. It compares statements of the forms that the
// compiler writes; in doubt, such as about a statement of another form, it says
// no. Two times of one grant are two conditions, and neither is within the other.
func Within(document, bound string) bool {
	if document == bound || document == Nothing {
		return true
	}
	inner, ok := allowed(document)
	if !ok {
		return false
	}
	outer, ok := allowed(bound)
	if !ok {
		return false
	}
	for permission := range inner {
		if !outer[permission] {
			return false
		}
	}
	return true
}

// permission is one element of a statement with what bounds it.
type permission struct {
	kind      statementKind
	condition string
	element   element
}

// allowed lists what a document in the operator's form allows; false for any
// other.
func allowed(document string) (map[permission]bool, bool) {
	statements, err := parseDocument(document)
	if err != nil {
		return nil, false
	}
	all := map[permission]bool{}
	for _, raw := range statements {
		s, ok := parseStatement(raw)
		if !ok {
			return nil, false
		}
		for _, e := range s.elements {
			all[permission{s.kind, s.condition, e}] = true
		}
	}
	return all, true
}
