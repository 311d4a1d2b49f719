package policy

import "strings"

// MayHold reports whether a document that this package wrote may allow sessions on
// a node of the target, or with "" on the nodes that its tags mean. It looks at no
// other condition and says yes in doubt.
func MayHold(document string, t Target, id string) bool {
	if id != "" {
		return strings.Contains(document, "/"+id+`"`)
	}
	for _, test := range tagTests(t.Tags) {
		entry := append(appendString(nil, test.key), ':')
		if !strings.Contains(document, string(appendStrings(entry, test.values))) {
			return false
		}
	}
	return true
}
