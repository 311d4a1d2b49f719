package document

import "strings"

// HasReference reports whether a text of a document holds {{ name }} or {{ssm:name}}, which
// the agent replaces when a session opens. It does so in inputs and in properties, for
// every session type (amazon-ssm-agent 3.3.1142.0, docparser).
func HasReference(text string) bool { return strings.Contains(text, "{{") }
