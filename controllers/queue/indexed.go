package queue

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// indexed is a kind whose objects name an AWSAccount.
type indexed struct {
	name   string
	object func() client.Object
	list   func() client.ObjectList
}

// indexedKinds are all such kinds. Each has an AccountName method.
var indexedKinds = []indexed{
	{"AccountTier", func() client.Object { return &v1alpha1.AccountTier{} }, func() client.ObjectList { return &v1alpha1.AccountTierList{} }},
	{"SessionAccess", func() client.Object { return &v1alpha1.SessionAccess{} }, func() client.ObjectList { return &v1alpha1.SessionAccessList{} }},
	{"SessionDocument", func() client.Object { return &v1alpha1.SessionDocument{} }, func() client.ObjectList { return &v1alpha1.SessionDocumentList{} }},
	{"HybridActivation", func() client.Object { return &v1alpha1.HybridActivation{} }, func() client.ObjectList { return &v1alpha1.HybridActivationList{} }},
}

func byAccountName(obj client.Object) []string {
	return []string{obj.(interface{ AccountName() string }).AccountName()}
}

// Users returns an empty object of every kind whose objects name an AWSAccount.
func Users() []client.Object {
	objects := make([]client.Object, len(indexedKinds))
	for i, kind := range indexedKinds {
		objects[i] = kind.object()
	}
	return objects
}

// UsersOf lists the objects of all kinds that name an AWSAccount and may have
// something in AWS, such as "SessionAccess team-a/user01-pc01", in a stable order.
// One that was refused from the start has nothing there.
func UsersOf(ctx context.Context, c client.Reader, account string) ([]string, error) {
	var names []string
	for _, kind := range indexedKinds {
		list := kind.list()
		if err := c.List(ctx, list, OfAccountName(account), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the %ss of AWSAccount %q: %w", kind.name, account, err)
		}
		objects, err := meta.ExtractList(list)
		if err != nil {
			return nil, fmt.Errorf("take the list of %ss apart: %w", kind.name, err)
		}
		for _, obj := range objects {
			if hasRecord(obj.(client.Object)) {
				names = append(names, Named(kind.name, obj.(client.Object)))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// hasRecord reports whether an object may have something in AWS: the finalizer comes
// before the first write there, and a record that was restored comes without it.
func hasRecord(obj client.Object) bool {
	if controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer) {
		return true
	}
	switch o := obj.(type) {
	case *v1alpha1.SessionAccess:
		return o.Status.Applied != nil
	case *v1alpha1.SessionDocument:
		return len(o.Status.Regions) > 0
	case *v1alpha1.HybridActivation:
		return o.Status.Record != nil || o.Status.ActivationID != ""
	case *v1alpha1.AccountTier:
		return len(o.Status.Regions) > 0
	default:
		return true
	}
}

// Named is how messages name an object of a kind.
func Named(kind string, obj client.Object) string {
	if obj.GetNamespace() == "" {
		return kind + " " + obj.GetName()
	}
	return kind + " " + obj.GetNamespace() + "/" + obj.GetName()
}
