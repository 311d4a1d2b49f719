package policy

import (
	"encoding/json"
	"strings"
)

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

// TagValues lists the values of a tag by which a document that this package wrote
// allows nodes, in the spelling of the document.
func TagValues(document, tag string) []string {
	var values []string
	entry := string(append(appendString(nil, keyResourceTag+tag), ':'))
	for _, rest := range strings.Split(document, entry)[1:] {
		decoder := json.NewDecoder(strings.NewReader(rest))
		var value any
		if decoder.Decode(&value) != nil {
			continue // It is the start of a document that was cut.
		}
		switch value := value.(type) {
		case string:
			values = append(values, value)
		case []any:
			for _, v := range value {
				if s, ok := v.(string); ok {
					values = append(values, s)
				}
			}
		}
	}
	return values
}
