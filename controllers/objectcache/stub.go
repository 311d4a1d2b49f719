package objectcache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// mark is the label of a stub in the cache. Its value holds the Brief. It is no
	// annotation, for a change of those makes an object be reconciled.
	mark = v1alpha1.TagPrefix + "stub"
	// others is the annotation in the cache that stands for all that were dropped.
	others = v1alpha1.TagPrefix + "other-annotations"
	// dropped is the annotation with the size of what is not kept.
	dropped = v1alpha1.TagPrefix + "dropped-bytes"
)

// token begins the values of both. It changes with each process, so that one of
// these names that was written elsewhere is known as such.
var token = rand.Text() + " "

// Brief is what a stub of a SessionAccess keeps of its spec for kubectl get.
type Brief struct {
	Principals string `json:"principals,omitempty"`
	Targets    string `json:"targets,omitempty"`
}

// Is reports whether an object from the cache is a stub: most of its spec is
// missing, and must not be taken for empty.
func Is(obj client.Object) bool {
	return strings.HasPrefix(obj.GetLabels()[mark], token)
}

// BriefOf returns what a stub keeps for kubectl get. ok is false for an object
// that is no stub.
func BriefOf(obj client.Object) (b Brief, ok bool) {
	text, ok := strings.CutPrefix(obj.GetLabels()[mark], token)
	if !ok {
		return Brief{}, false
	}
	// What this process wrote can be read.
	_ = json.Unmarshal([]byte(text), &b)
	return b, true
}

// setBrief makes an object a stub.
func setBrief(obj client.Object, b Brief) {
	text, err := json.Marshal(b)
	if err != nil {
		text = nil // Strings can always be written.
	}
	obj.SetLabels(map[string]string{mark: token + string(text)})
}

// Whole replaces a stub by the object as the API server has it. whole is false,
// and the stub stays, where the object is gone, is being deleted, or is another of
// the same name: an event follows in each case.
func Whole(ctx context.Context, live client.Reader, obj client.Object) (whole bool, err error) {
	found, err := Read(ctx, live, client.ObjectKeyFromObject(obj), obj)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return false, fmt.Errorf("read %T %s whole: %w", obj, client.ObjectKeyFromObject(obj), err)
	case err != nil, found.GetUID() != obj.GetUID(), !found.GetDeletionTimestamp().IsZero():
		return false, nil //nolint:nilerr // An event follows.
	}
	Replace(obj, found)
	return true, nil
}

// Read reads an object of the type of another into a new one. What is decoded
// into an object that holds something already leaves there what the answer does
// not mention.
func Read(ctx context.Context, from client.Reader, key client.ObjectKey, as client.Object, opts ...client.GetOption) (client.Object, error) {
	found := reflect.New(reflect.TypeOf(as).Elem()).Interface().(client.Object)
	return found, from.Get(ctx, key, found, opts...) //nolint:wrapcheck // The caller says what it read.
}

// Replace overwrites an object with another of its type.
func Replace(obj, by client.Object) {
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(by).Elem())
}
