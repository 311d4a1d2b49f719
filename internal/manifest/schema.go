package manifest

import (
	"fmt"
	"io/fs"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	schemapkg "k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/config/crd"
)

// Schemas validate objects of the operator's kinds.
type Schemas map[schemapkg.GroupVersionKind]*kind

// kind is what an API server makes of a CustomResourceDefinition.
type kind struct {
	namespaced bool
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// Load reads the CustomResourceDefinitions of this version of the operator, and compiles
// their rules.
func Load() (Schemas, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the embedded kinds: %w", err)
	}
	schemas := Schemas{}
	for _, file := range files {
		text, err := crd.Bases.ReadFile(file)
		if err == nil {
			err = schemas.add(text)
		}
		if err != nil {
			return nil, fmt.Errorf("read the kind in %s: %w", file, err)
		}
	}
	return schemas, nil
}

// add adds every version of a definition.
func (s Schemas) add(text []byte) error {
	var versioned apiextensionsv1.CustomResourceDefinition
	if err := sigsyaml.UnmarshalStrict(text, &versioned); err != nil {
		return err
	}
	for _, version := range versioned.Spec.Versions {
		var properties apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &properties, nil); err != nil {
			return err
		}
		structural, err := schema.NewStructural(&properties)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(&properties)
		if err != nil {
			return err
		}
		s[schemapkg.GroupVersionKind{Group: versioned.Spec.Group, Version: version.Name, Kind: versioned.Spec.Names.Kind}] = &kind{
			namespaced: versioned.Spec.Scope == apiextensionsv1.NamespaceScoped,
			structural: structural, validator: validator,
			rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
		}
	}
	return nil
}

// Decode makes an object of a kind from one that was validated.
func Decode[T any](o *Object) (*T, error) {
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		return nil, fmt.Errorf("decode %s: %w", o, err)
	}
	return typed, nil
}
