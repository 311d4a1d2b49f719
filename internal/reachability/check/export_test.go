package check

// Allows judges the policy documents of a role, as JSON: whether they allow the
// permission, and whether that is certain. It is not where it depends on
// conditions, or a document cannot be read.
func Allows(documents []string, p Permission) (allowed, certain bool) {
	var statements []statement
	for _, text := range documents {
		read, err := parsePolicy(text)
		if err != nil {
			return false, false
		}
		statements = append(statements, read...)
	}
	switch evaluate(statements, request{action: p.Action, resource: p.Resource}) {
	case allows:
		return true, true
	case denies:
		return false, true
	default:
		return false, false
	}
}
