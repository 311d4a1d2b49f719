package sessiondocument_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// everyParameter declares parameters of every type, with all that they may have.
func everyParameter(s *v1alpha1.SessionDocumentSpec) {
	s.SessionType, s.Inputs = v1alpha1.SessionInteractiveCommands, nil
	s.Parameters = []v1alpha1.DocumentParameter{
		{
			Name: "job", Description: "The job", Default: new("reindex"), AllowedPattern: "^[a-z]+$", AllowedValues: []string{"reindex", "vacuum"},
			MinChars: new(int32(1)), MaxChars: new(int32(32)), DisplayType: v1alpha1.DisplayTextField, InterpolationType: v1alpha1.InterpolationEnvironment,
		},
		{
			Name: "services", Type: v1alpha1.ParameterStringList, DefaultList: []string{"sshd", "chronyd"}, AllowedValues: []string{"sshd", "chronyd", "crond"},
			MinItems: new(int32(1)), MaxItems: new(int32(3)), DisplayType: v1alpha1.DisplayTextArea,
		},
		{Name: "settings", Type: v1alpha1.ParameterStringMap, DefaultMap: map[string]string{"level": "info"}, MaxItems: new(int32(8)), MaxChars: new(int32(256))},
		{Name: "hosts", Type: v1alpha1.ParameterStringList},
	}
	s.Properties = &v1alpha1.SessionProperties{Linux: &v1alpha1.CommandProperties{Commands: "run {{ job }} '{{ services }}' '{{ settings }}' '{{ hosts }}'"}}
}

// everyParameterInAWS is how AWS holds everyParameter.
var everyParameterInAWS = map[string]any{
	"job": map[string]any{
		"type": "String", "description": "The job", "default": "reindex", "allowedPattern": "^[a-z]+$", "allowedValues": []any{"reindex", "vacuum"},
		"minChars": 1.0, "maxChars": 32.0, "displayType": "textfield", "interpolationType": "ENV_VAR",
	},
	"services": map[string]any{
		"type": "StringList", "default": []any{"sshd", "chronyd"}, "allowedValues": []any{"sshd", "chronyd", "crond"},
		"minItems": 1.0, "maxItems": 3.0, "displayType": "textarea",
	},
	"settings": map[string]any{"type": "StringMap", "default": map[string]any{"level": "info"}, "maxItems": 8.0, "maxChars": 256.0},
	"hosts":    map[string]any{"type": "StringList"},
}

func TestParametersOfEveryTypeReachAWSAndArePutBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(everyParameter)
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	parameters := func() any { return content(t, w.DocumentInAWS(scenario.LoggedDocument))["parameters"] }
	scenario.ExpectEqual(t, "the parameters", parameters(), any(everyParameterInAWS))
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)

	w.RewriteDocument(scenario.LoggedDocument, strings.Replace(w.DocumentInAWS(scenario.LoggedDocument).Latest().Content, `"chronyd"`, `"crond"`, 1))
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Default == 3 })
	scenario.ExpectEqual(t, "the parameters after the repair", parameters(), any(everyParameterInAWS))
}

// The document was written by hand: in YAML, in another order, with texts for numbers.
func TestADocumentWithParametersOfEveryTypeIsAdoptedAsItIs(t *testing.T) {
	yaml, err := json.Marshal(`
schemaVersion: "1.0"
sessionType: InteractiveCommands
properties:
  linux:
    commands: run {{ job }} '{{ services }}' '{{ settings }}' '{{ hosts }}'
parameters:
  hosts: {type: StringList}
  settings: {default: {level: info}, type: StringMap, maxChars: 256, maxItems: 8}
  services: {type: StringList, minItems: 1, maxItems: 3, displayType: textarea, default: [sshd, chronyd], allowedValues: [sshd, chronyd, crond]}
  job: {type: String, description: The job, default: reindex, allowedPattern: "^[a-z]+$", allowedValues: [reindex, vacuum],
    minChars: 1, maxChars: 32, displayType: textfield, interpolationType: ENV_VAR}
`)
	if err != nil {
		t.Fatal(err)
	}
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, holding(preferences, "YAML", string(yaml)))
	doc := scenario.SessionDocument(adopting, everyParameter)
	w.Create(scenario.Account(mayAdopt), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1)
}

func TestAListInPlaceOfATextIsRefusedWithASentence(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(everyParameter, func(s *v1alpha1.SessionDocumentSpec) { s.Properties.Linux.Commands = "{{ services }}" })
	w.Create(scenario.Account(), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonInvalidSpec)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "properties.linux.commands", "{{ services }}", "StringList", "opens no session")
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestTheAPIServerRejectsBadParametersWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	var large []v1alpha1.DocumentParameter
	for i := range 20 {
		large = append(large, v1alpha1.DocumentParameter{Name: fmt.Sprint("p", i), Type: v1alpha1.ParameterStringList, DefaultList: scenario.Wordy(50, 256)})
	}
	one := func(p v1alpha1.DocumentParameter) []v1alpha1.DocumentParameter {
		p.Name = "a"
		return []v1alpha1.DocumentParameter{p}
	}
	for name, c := range map[string]struct {
		parameters []v1alpha1.DocumentParameter
		says       string
	}{
		"a default of another type": {one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringList, Default: new("x")}), "a StringList has defaultList"},
		"a list for a text":         {one(v1alpha1.DocumentParameter{DefaultList: []string{"x"}}), "defaultList needs type: StringList"},
		"a map for a list": {
			one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringList, DefaultMap: map[string]string{"x": "y"}}), "defaultMap needs type: StringMap",
		},
		"items of a text": {one(v1alpha1.DocumentParameter{MaxItems: new(int32(2))}), "a String has minChars and maxChars"},
		"numbers of items that no value has": {
			one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringMap, MinItems: new(int32(3)), MaxItems: new(int32(2))}), "minItems is greater than maxItems",
		},
		"an item that is not allowed": {
			one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringList, DefaultList: []string{"x", "y"}, AllowedValues: []string{"y"}}),
			"defaultList holds a text that is not among allowedValues",
		},
		"a list in an environment variable": {
			one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringList, InterpolationType: v1alpha1.InterpolationEnvironment}),
			"interpolationType is for parameters of type String",
		},
		"a long text in a map": {
			one(v1alpha1.DocumentParameter{Type: v1alpha1.ParameterStringMap, DefaultMap: map[string]string{"x": strings.Repeat("y", 257)}}), "a text at most 256",
		},
		"an unknown display":              {one(v1alpha1.DocumentParameter{DisplayType: "checkbox"}), `supported values: "textfield", "textarea"`},
		"a type of runbooks":              {one(v1alpha1.DocumentParameter{Type: "Integer"}), `supported values: "String", "StringList", "StringMap"`},
		"defaults that no document holds": {large, "more than 65536 characters"},
	} {
		bad := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Parameters = c.parameters })
		bad.Name = "bad"
		if err := w.Client.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the answer is %v, which does not say %q", name, err, c.says)
		}
	}
}
