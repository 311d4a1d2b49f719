package document

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

// HasReference reports whether a text of a document holds {{ name }} or {{ssm:name}}, which
// the agent replaces when a session opens. It does so in inputs and in properties, for
// every session type (amazon-ssm-agent 3.3.1142.0, docparser).
func HasReference(text string) bool { return strings.Contains(text, "{{") }

// MisplacedReferenceError means that a field holds a reference to a list or a map and
// nothing else. The agent replaces such a text by the value itself, not by its JSON. The
// field then holds no text, and the agent opens no session (amazon-ssm-agent 3.3.1142.0,
// ReplaceParameters).
type MisplacedReferenceError struct {
	// Field is its path in the document, as in "properties.linux.commands".
	Field string
	// Parameter is the name of the parameter, and Type its type.
	Parameter string
	Type      v1alpha1.ParameterType
}

// Error implements error.
func (e *MisplacedReferenceError) Error() string {
	return fmt.Sprintf("%s holds {{ %s }} and nothing else, and that parameter is a %s", e.Field, e.Parameter, e.Type)
}

// loneReference is a text that is one reference. The agent knows names of letters and
// digits here.
var loneReference = regexp.MustCompile(`^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$`)

// checkReferences returns a *MisplacedReferenceError for the first text of a document, in
// the order of the paths, that one of the parameters cannot replace.
func checkReferences(text string, declared []v1alpha1.DocumentParameter) error {
	types := map[string]v1alpha1.ParameterType{}
	for _, p := range declared {
		if p.Type == v1alpha1.ParameterStringList || p.Type == v1alpha1.ParameterStringMap {
			types[p.Name] = p.Type
		}
	}
	if len(types) == 0 {
		return nil
	}
	value, err := strictjson.Decode(text)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	fields, _ := value.(strictjson.Object)
	for _, part := range []string{"inputs", "properties"} {
		if err := misplaced(part, fields[part], types); err != nil {
			return err
		}
	}
	return nil
}

func misplaced(path string, value any, types map[string]v1alpha1.ParameterType) error {
	switch v := value.(type) {
	case strictjson.Object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := misplaced(path+"."+name, v[name], types); err != nil {
				return err
			}
		}
	case string:
		reference := loneReference.FindStringSubmatch(v)
		if reference == nil {
			return nil
		}
		if kind, ok := types[reference[1]]; ok {
			return &MisplacedReferenceError{Field: path, Parameter: reference[1], Type: kind}
		}
	}
	return nil
}
