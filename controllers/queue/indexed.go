package queue

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

func byAccountName(obj client.Object) []string {
	return []string{obj.(v1alpha1.AccountUser).AccountName()}
}

// UsersOf lists the objects of all kinds that name an AWSAccount and may have
// something in AWS, such as "SessionAccess team-a/user01-pc01", in a stable order.
// One that was refused from the start, or has lost everything, has nothing there.
func UsersOf(ctx context.Context, c client.Reader, account string) ([]string, error) {
	var names []string
	for _, user := range v1alpha1.AccountUsers() {
		kind, list := v1alpha1.KindOf(user), user.EmptyList()
		if err := c.List(ctx, list, OfAccountName(account), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the %ss of AWSAccount %q: %w", kind, account, err)
		}
		objects, err := meta.ExtractList(list)
		if err != nil {
			return nil, fmt.Errorf("take the list of %ss apart: %w", kind, err)
		}
		for _, obj := range objects {
			if user := obj.(v1alpha1.AccountUser); NeedsAccount(user) {
				names = append(names, Named(kind, user))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// NeedsAccount reports whether the operator may have to change something in AWS for an
// object. The record of a SessionAccess outlives what it grants: it has the ids of
// principals. An object that only another controller's finalizer keeps is done, unless
// something of it is left behind.
func NeedsAccount(user v1alpha1.AccountUser) bool {
	if !user.GetDeletionTimestamp().IsZero() && !controllerutil.ContainsFinalizer(user, v1alpha1.Finalizer) {
		return IsLeftBehind(user)
	}
	if access, ok := user.(*v1alpha1.SessionAccess); ok {
		return len(grants.PrincipalKeysOf(access.Status.Applied)) > 0
	}
	return user.HasRecord()
}

// IsLeftBehind reports whether something of an object may be in AWS although the object does
// not have the operator's finalizer any more: another client removed that. The cleanup of a
// SessionDocument strikes off the record what is gone, so what the record names is left. The
// records of the other kinds outlive what they name. Of those kinds, policies are found by
// their principals, and activations by their tags.
func IsLeftBehind(obj v1alpha1.Object) bool {
	doc, ok := obj.(*v1alpha1.SessionDocument)
	return ok && doc.HasRecord()
}

// Named is how messages name an object of a kind.
func Named(kind string, obj client.Object) string {
	if obj.GetNamespace() == "" {
		return kind + " " + obj.GetName()
	}
	return kind + " " + obj.GetNamespace() + "/" + obj.GetName()
}
