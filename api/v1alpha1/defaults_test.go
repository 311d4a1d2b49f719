package v1alpha1_test

import (
	"os"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// Tools that compare a manifest with the live object take a list as a whole: a default
// inside of an item would be a difference that no sync removes.
func TestNoListItemHasADefault(t *testing.T) {
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		for _, version := range crd.Spec.Versions {
			for _, path := range defaultsInItems(crd.Spec.Names.Kind, version.Schema.OpenAPIV3Schema, false) {
				t.Errorf("%s has a default inside of a list", path)
			}
		}
	}
}

// defaultsInItems lists the fields that have a default and are inside of a list.
func defaultsInItems(path string, schema *apiextensionsv1.JSONSchemaProps, inside bool) []string {
	var found []string
	if inside && schema.Default != nil {
		found = append(found, path)
	}
	for name, property := range schema.Properties {
		found = append(found, defaultsInItems(path+"."+name, &property, inside)...)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		found = append(found, defaultsInItems(path+"[]", schema.Items.Schema, true)...)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		found = append(found, defaultsInItems(path+"{}", schema.AdditionalProperties.Schema, inside)...)
	}
	return found
}
