// Package v1alpha1 holds the kinds with which platform teams declare who may
// open AWS Systems Manager Session Manager sessions on which nodes.
//
// +kubebuilder:object:generate=true
// +groupName=ssm-access.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "ssm-access.dev", Version: "v1alpha1"}

var (
	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the kinds of this package with a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	for _, kind := range Kinds() {
		scheme.AddKnownTypes(GroupVersion, kind, kind.EmptyList())
	}
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
