package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

const (
	namespace = "bench"
	// writers is how many requests to the API server this program has under way.
	writers = 8
)

// declareAccount creates the AWSAccount and the namespace.
func (w *world) declareAccount(ctx context.Context) error {
	if err := w.env.Namespace(ctx, namespace, nil); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	w.own++
	return w.env.Client.Create(ctx, &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: w.env.Account.ID,
			Regions:   []v1alpha1.Region{v1alpha1.Region(w.env.Region)},
			AssumeRole: &v1alpha1.AssumeRole{
				RoleARN: "arn:aws:iam::" + w.env.Account.ID + ":role/ssm-access-operator", ExternalID: "abc",
			},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
		},
	})
}

// access is a grant of a number of instances to a user. No two grants with
// different seeds share an instance.
func access(name, user string, seed, instances int) *v1alpha1.SessionAccess {
	ids := make([]v1alpha1.InstanceID, instances)
	for i := range ids {
		ids[i] = instanceID(seed, i)
	}
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
			Targets:    []v1alpha1.Target{{InstanceIDs: ids}},
		},
	}
}

func instanceID(seed, i int) v1alpha1.InstanceID {
	return v1alpha1.InstanceID(fmt.Sprintf("i-%09x%08x", seed, i))
}

// create creates objects, several at a time.
func (w *world) create(ctx context.Context, accesses ...*v1alpha1.SessionAccess) error {
	w.own += len(accesses)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, object := range accesses {
		group.Go(func() error {
			if err := w.env.Client.Create(ctx, object); err != nil {
				return fmt.Errorf("create SessionAccess %s: %w", object.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// delete deletes an object, and does not wait until it is gone.
func (w *world) delete(ctx context.Context, object *v1alpha1.SessionAccess) error {
	w.own++
	if err := w.env.Client.Delete(ctx, object); err != nil {
		return fmt.Errorf("delete SessionAccess %s: %w", object.Name, err)
	}
	return nil
}

// waitReady waits until so many SessionAccesses are ready.
func (w *world) waitReady(ctx context.Context, n int) error {
	scheme := w.env.Client.Scheme()
	return testenv.WaitCount(ctx, w.env.Client, &v1alpha1.SessionAccess{}, n, func(a *v1alpha1.SessionAccess) bool {
		return testenv.Ready(scheme, a)
	})
}
