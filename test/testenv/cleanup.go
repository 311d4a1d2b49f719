package testenv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// noFinalizers lets an object go that no manager will ever finish.
var noFinalizers = client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))

// clear removes every object of the project's kinds, and returns when the API
// server has none. No manager may be running.
func (c *Cluster) clear(ctx context.Context) error {
	var errs []error
	for _, kind := range c.kinds() {
		if err := c.clearKind(ctx, kind); err != nil {
			errs = append(errs, fmt.Errorf("clear the cluster of %s: %w", kind.Kind, err))
		}
	}
	if err := c.clearSecrets(ctx); err != nil {
		errs = append(errs, fmt.Errorf("clear the cluster of Secrets: %w", err))
	}
	return errors.Join(errs...)
}

// clearSecrets deletes the Secrets that belonged to objects of the project's
// kinds: the next test may use their names before the garbage collector has.
func (c *Cluster) clearSecrets(ctx context.Context) error {
	var all corev1.SecretList
	if err := c.Client.List(ctx, &all); err != nil {
		return err
	}
	for i := range all.Items {
		secret := &all.Items[i]
		if owner := metav1.GetControllerOf(secret); owner == nil || owner.APIVersion != v1alpha1.GroupVersion.String() {
			continue
		}
		if err := client.IgnoreNotFound(c.Client.Delete(ctx, secret)); err != nil {
			return err
		}
	}
	return nil
}

// kinds are the project's kinds, those that others refer to last.
func (c *Cluster) kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	known := c.Client.Scheme().KnownTypes(v1alpha1.GroupVersion)
	for name := range known {
		if _, listed := known[name+"List"]; listed {
			kinds = append(kinds, v1alpha1.GroupVersion.WithKind(name))
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(b.Kind, a.Kind) })
	return kinds
}

func (c *Cluster) clearKind(ctx context.Context, kind schema.GroupVersionKind) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := c.Client.List(ctx, list); err != nil {
		return err
	}
	for i := range list.Items {
		item := &list.Items[i]
		item.SetGroupVersionKind(kind)
		if len(item.Finalizers) > 0 {
			if err := client.IgnoreNotFound(c.Client.Patch(ctx, item, noFinalizers)); err != nil {
				return err
			}
		}
		if err := client.IgnoreNotFound(c.Client.Delete(ctx, item)); err != nil {
			return err
		}
	}
	one := &metav1.PartialObjectMetadata{}
	one.SetGroupVersionKind(kind)
	return WaitCount(ctx, c.Client, one, 0, func(*metav1.PartialObjectMetadata) bool { return true })
}
