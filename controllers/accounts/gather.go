package accounts

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Gather reads what decides whether an object may use its account. namespace is empty for
// a kind without namespaces.
func Gather(ctx context.Context, c client.Reader, account, namespace string) (admission.AccountAccess, error) {
	in := admission.AccountAccess{Name: account, NamespaceName: namespace}
	found := &v1alpha1.AWSAccount{}
	switch err := c.Get(ctx, client.ObjectKey{Name: account}, found); {
	case err == nil:
		in.Account = found
		if in.Rival, err = Older(ctx, c, found); err != nil {
			return in, err
		}
	case client.IgnoreNotFound(err) != nil:
		return in, fmt.Errorf("read AWSAccount %q: %w", account, err)
	}
	if namespace == "" {
		return in, nil
	}
	home := &corev1.Namespace{}
	switch err := c.Get(ctx, client.ObjectKey{Name: namespace}, home); {
	case err == nil:
		in.Namespace = home
	case client.IgnoreNotFound(err) != nil:
		return in, fmt.Errorf("read namespace %q: %w", namespace, err)
	}
	return in, nil
}
