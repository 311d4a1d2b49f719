package v1alpha1

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Kinds returns an empty object of every kind of this package. It is the only list of
// them: the scheme, the field indexes, the cache and the tests are made from it.
func Kinds() []Object {
	return []Object{
		&AccountTier{},
		&AWSAccount{},
		&HybridActivation{},
		&SessionAccess{},
		&SessionDocument{},
	}
}

// AccountUsers returns an empty object of every kind whose objects name an AWSAccount.
func AccountUsers() []AccountUser {
	var users []AccountUser
	for _, kind := range Kinds() {
		if user, ok := kind.(AccountUser); ok {
			users = append(users, user)
		}
	}
	return users
}

// KindOf returns the name of an object's kind, which is the name of its type. An object
// that was read into its type does not name its kind itself.
func KindOf(obj Object) string { return reflect.TypeOf(obj).Elem().Name() }

// Object is an object of one of the kinds.
//
// +kubebuilder:object:generate=false
type Object interface {
	metav1.Object
	runtime.Object
	// EmptyList returns an empty list of the kind.
	EmptyList() ObjectList
	// StatusFields returns pointers to the status and to what every kind has in it. uid
	// is nil for a kind whose status does not name its object.
	StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string)
	// IsSuspended returns spec.suspend.
	IsSuspended() bool
}

// ObjectList is a list of objects of one of the kinds.
//
// +kubebuilder:object:generate=false
type ObjectList interface {
	metav1.ListInterface
	runtime.Object
}

// AccountUser is an object that names an AWSAccount.
//
// +kubebuilder:object:generate=false
type AccountUser interface {
	Object
	// AccountName returns the name of the AWSAccount in spec.accountRef.
	AccountName() string
	// HasRecord reports whether the status names something that is, or may be, in AWS
	// because of the object.
	HasRecord() bool
}
