package manifest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// Validate applies the defaults of its kind to an object, and returns why an API server
// would reject it, in the order and in the words of an API server. old is the object as it
// is in the cluster; nil for one to create. The kind has to be one of Schemas.
func (s Schemas) Validate(ctx context.Context, o, old *Object) []*Problem {
	kind := s[o.GroupVersionKind()]
	// An API server takes the status from no manifest.
	delete(o.Object, "status")
	if problems := kind.decode(o); len(problems) > 0 {
		return problems
	}
	var before any
	var errs field.ErrorList
	if old != nil {
		delete(old.Object, "status")
		if problems := kind.decode(old); len(problems) > 0 {
			return problems
		}
		before = old.Object
		errs = kind.validateUpdate(ctx, o, old)
	} else {
		errs = kind.validate(ctx, o)
	}
	if !slices.ContainsFunc(errs, blocks) {
		errs = append(errs, kind.checkRules(ctx, o, before)...)
	}
	problems := make([]*Problem, 0, len(errs))
	for _, err := range errs {
		path := strings.TrimPrefix(err.Field, "<nil>")
		problems = append(problems, o.Problem(path, err.ErrorBody()))
	}
	return problems
}

// ValidateAll validates the objects of the operator's kinds, and returns those that an API
// server would accept, with the namespaces beside them. old are the objects that are in the
// cluster. Objects of other kinds are left out.
func (s Schemas) ValidateAll(ctx context.Context, content, old *Content, namespace string) (valid []*Object, problems []*Problem) {
	problems = append(slices.Clone(content.Problems), old.Problems...)
	present := map[string]*Object{}
	for _, o := range old.Objects {
		if kind := s[o.GroupVersionKind()]; kind != nil {
			kind.place(o, namespace)
		}
		present[o.Identity()] = o
	}
	for _, o := range content.Objects {
		if o.GroupVersionKind() == corev1.SchemeGroupVersion.WithKind("Namespace") {
			valid = append(valid, o)
			continue
		}
		kind := s[o.GroupVersionKind()]
		if kind == nil {
			continue
		}
		kind.place(o, namespace)
		if found := s.Validate(ctx, o, present[o.Identity()]); len(found) > 0 {
			problems = append(problems, found...)
			continue
		}
		valid = append(valid, o)
	}
	return valid, problems
}

// place puts an object that needs a namespace and names none into the given one.
func (k *kind) place(o *Object, namespace string) {
	if k.namespaced && o.GetNamespace() == "" {
		o.SetNamespace(namespace)
	}
}

// decode does what an API server does before it validates. Metadata that cannot be decoded
// ends it there, and so do unknown fields: what else is wrong may be their consequence.
func (k *kind) decode(o *Object) []*Problem {
	unknown := pruning.PruneWithOptions(o.Object, k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	err, inMetadata := objectmeta.CoerceWithOptions(nil, o.Object, k.structural, true, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return []*Problem{o.Problem(err.Field, err.ErrorBody())}
	}
	var problems []*Problem
	for _, path := range append(unknown, inMetadata...) {
		problems = append(problems, o.Problem(path, "unknown field; correct its name, or remove it"))
	}
	if len(problems) == 0 {
		defaulting.PruneNonNullableNullsWithoutDefaults(o.Object, k.structural)
		defaulting.Default(o.Object, k.structural)
		delete(o.Object, "status")
	}
	return problems
}

// validate is what an API server checks of an object to create, save the rules.
func (k *kind) validate(ctx context.Context, o *Object) field.ErrorList {
	errs := metavalidation.ValidateObjectMetaAccessor(o, k.namespaced, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, o.Object, k.validator)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, o.Object, k.structural, false)...)
	return append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, o.Object)...)
}

// validateUpdate is what an API server checks of an object that replaces another, save the
// rules. What is wrong already, and is not changed, passes.
func (k *kind) validateUpdate(ctx context.Context, o, old *Object) field.ErrorList {
	errs := metavalidation.ValidateObjectMetaAccessor(o, k.namespaced, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	correlated := common.NewCorrelatedObject(o.Object, old.Object, &model.Structural{Structural: k.structural})
	errs = append(errs, validation.ValidateCustomResourceUpdate(nil, o.Object, old.Object, k.validator, validation.WithRatcheting(correlated))...)
	errs = append(errs, objectmeta.Validate(ctx, nil, o.Object, k.structural, false)...)
	if len(listtype.ValidateListSetsAndMaps(nil, k.structural, old.Object)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, o.Object)...)
	}
	return errs
}

// checkRules runs the rules. Immutable fields are rules, too.
func (k *kind) checkRules(ctx context.Context, o *Object, before any) field.ErrorList {
	var options []cel.Option
	if before != nil {
		options = append(options, cel.WithRatcheting(common.NewCorrelatedObject(o.Object, before, &model.Structural{Structural: k.structural})))
	}
	errs, _ := k.rules.Validate(ctx, nil, k.structural, o.Object, before, celconfig.RuntimeCELCostBudget, options...)
	return errs
}

// blocks reports whether an API server leaves the rules out after an error: they would
// fail, or complain of what is missing.
func blocks(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}

// Identity is what makes two manifests declare the same object.
func (o *Object) Identity() string {
	return fmt.Sprintf("%s/%s/%s", o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName())
}
