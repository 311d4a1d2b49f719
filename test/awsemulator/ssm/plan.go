package ssm

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
)

// Plan is what a node runs in a session, by the document.
type Plan struct {
	// Type is the session type.
	Type string
	// Properties are the document's, with the session's parameters in them.
	Properties map[string]any
	// Inputs are the document's: the user, and where the session is logged to.
	Inputs map[string]any
	// KMSKey encrypts the session, where the document names one.
	KMSKey string
}

const standardStream = "Standard_Stream"

// awsProperties are the properties of AWS's session documents, and the defaults of
// their parameters.
var awsProperties = map[string]struct {
	properties map[string]any
	defaults   map[string]string
}{
	"AWS-StartInteractiveCommand":    {map[string]any{"linux": map[string]any{"commands": "{{ command }}"}}, nil},
	"AWS-StartNonInteractiveCommand": {map[string]any{"linux": map[string]any{"commands": "{{ command }}"}}, nil},
	"AWS-StartPortForwardingSession": {
		map[string]any{"portNumber": "{{ portNumber }}", "type": "LocalPortForwarding", "localPortNumber": "{{ localPortNumber }}"},
		map[string]string{"portNumber": "80", "localPortNumber": "0"},
	},
	"AWS-StartPortForwardingSessionToRemoteHost": {
		map[string]any{"portNumber": "{{ portNumber }}", "type": "LocalPortForwarding", "localPortNumber": "{{ localPortNumber }}", "host": "{{ host }}"},
		map[string]string{"portNumber": "80", "localPortNumber": "0"},
	},
	"AWS-StartSSHSession": {map[string]any{"portNumber": "{{ portNumber }}"}, map[string]string{"portNumber": "22"}},
}

// Plan reads the document of a session. One that cannot be read is taken for a shell.
func (r *Region) Plan(s *Session) Plan {
	_, v, err := r.findVersion(r.history.Latest(), r.Now(), &s.DocumentName, nil, nil)
	if err != nil {
		return Plan{Type: standardStream}
	}
	fields, err := parseContent(v.Format, v.Content)
	if err != nil {
		return Plan{Type: standardStream}
	}
	p := Plan{KMSKey: v.kmsKey()}
	p.Type, _ = fields["sessionType"].(string)
	p.Properties, _ = fields["properties"].(map[string]any)
	p.Inputs, _ = fields["inputs"].(map[string]any)
	values := map[string]any{}
	if known, ok := awsProperties[s.DocumentName]; ok {
		p.Properties = known.properties
		for name, value := range known.defaults {
			values[name] = value
		}
	}
	parameters, _ := fields["parameters"].(map[string]any)
	maps.Copy(values, valuesOf(parameters, s.Parameters))
	if p.Properties != nil {
		p.Properties, _ = filled(p.Properties, values).(map[string]any)
	}
	return p
}

// valuesOf are the values of parameters: the given ones, else the defaults. The agent
// takes no value for a name that holds more than letters and digits.
func valuesOf(parameters map[string]any, given map[string][]string) map[string]any {
	values, lists := map[string]any{}, map[string]bool{}
	for name, parameter := range parameters {
		described, _ := parameter.(map[string]any)
		lists[name] = described["type"] == "StringList"
		if value, ok := described["default"]; ok {
			values[name] = value
		}
	}
	for name, texts := range given {
		if !parameterName.MatchString(name) {
			continue
		}
		if values[name] = any(strings.Join(texts, ",")); lists[name] {
			list := make([]any, len(texts))
			for i, text := range texts {
				list[i] = text
			}
			values[name] = list
		}
	}
	return values
}

var parameterName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// filled puts the values of parameters where a document names them. A text that is one
// reference becomes the value; in a longer text a list or a map is written as JSON.
func filled(value any, values map[string]any) any {
	switch value := value.(type) {
	case string:
		for name, v := range values {
			for _, form := range []string{"{{ " + name + " }}", "{{" + name + "}}"} {
				if value == form {
					return v
				}
				value = strings.ReplaceAll(value, form, textOf(v))
			}
		}
		return value
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = filled(value[i], values)
		}
		return list
	case map[string]any:
		members := make(map[string]any, len(value))
		for name := range value {
			members[name] = filled(value[name], values)
		}
		return members
	}
	return value
}

// textOf is a value within a text.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // It was read from JSON or YAML.
	}
	return string(text)
}
