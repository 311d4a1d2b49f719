package document_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// declared is the spec that declares a document, member by member.
func declared(t *testing.T, text []byte) *v1alpha1.SessionDocumentSpec {
	t.Helper()
	var content struct {
		SchemaVersion string                  `json:"schemaVersion"`
		Description   string                  `json:"description"`
		SessionType   v1alpha1.SessionType    `json:"sessionType"`
		Inputs        *v1alpha1.SessionInputs `json:"inputs"`
		Parameters    map[string]struct {
			v1alpha1.DocumentParameter

			Default json.RawMessage `json:"default"`
		} `json:"parameters"`
		Properties *v1alpha1.SessionProperties `json:"properties"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&content); err != nil {
		t.Fatal(err)
	}
	spec := &v1alpha1.SessionDocumentSpec{
		Description: content.Description, SessionType: content.SessionType, Inputs: content.Inputs, Properties: content.Properties,
	}
	for name, p := range content.Parameters {
		p.Name = name
		if p.Default != nil {
			if err := json.Unmarshal(p.Default, defaultOf(&p.DocumentParameter)); err != nil {
				t.Fatal(err)
			}
		}
		spec.Parameters = append(spec.Parameters, p.DocumentParameter)
	}
	return spec
}

// defaultOf is the field that holds the default of a parameter of its type.
func defaultOf(p *v1alpha1.DocumentParameter) any {
	switch p.Type {
	case v1alpha1.ParameterStringList:
		return &p.DefaultList
	case v1alpha1.ParameterStringMap:
		return &p.DefaultMap
	default:
		return &p.Default
	}
}

// The documents are of the shapes that public modules have, in the schema of AWS.
func TestDocumentsComeOutAsTheyWentIn(t *testing.T) {
	files, err := filepath.Glob("testdata/documents/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	var types []v1alpha1.SessionType
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spec := declared(t, text)
		if out := render(t, spec); meaning(t, out) != meaning(t, string(text)) {
			t.Errorf("%s comes out as\n%s", file, out)
		}
		if off := document.TurnedOff(string(text), spec.Inputs); len(off) > 0 {
			t.Errorf("%s: the adoption of what is declared reports %q", file, off)
		}
		if !slices.Contains(types, spec.SessionType) {
			types = append(types, spec.SessionType)
		}
	}
	if len(types) != 4 {
		t.Errorf("the session types are %q", types)
	}
}
