package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	namespace = "bench"
	// accountName is the name of the AWSAccount.
	accountName = "main"
	// writers is how many requests to the API server this program has in
	// progress.
	writers = 8
	// longWait bounds the wait for a batch.
	longWait = 20 * time.Minute
)

// declareAccount creates the AWSAccount and the namespace.
func (w *world) declareAccount(ctx context.Context) error {
	if err := w.env.Namespace(ctx, namespace, nil); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	w.own[request("POST", "awsaccounts")]++
	return w.env.Client.Create(ctx, &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: accountName},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: w.env.Account.ID,
			Regions:   []v1alpha1.Region{v1alpha1.Region(w.env.Region)},
			AssumeRole: &v1alpha1.AssumeRole{
				RoleARN: "arn:aws:iam::" + w.env.Account.ID + ":role/ssm-access-operator", ExternalID: "abc",
			},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
			Guardrails: []v1alpha1.Guardrail{{
				Name: "activations", NamespaceSelector: &metav1.LabelSelector{},
				Activations: &v1alpha1.ActivationRule{Roles: []v1alpha1.NamePattern{serviceRole}},
			}},
		},
	})
}

// access is a grant of instances to a user.
func access(name, user string, ids []v1alpha1.InstanceID) *v1alpha1.SessionAccess {
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: accountName},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
			Targets:    []v1alpha1.Target{{InstanceIDs: ids}},
		},
	}
}

// resourceOf is the API server's name for the objects of a kind.
func resourceOf(object v1alpha1.Object) string {
	resource, _ := meta.UnsafeGuessKindToResource(v1alpha1.GroupVersion.WithKind(v1alpha1.KindOf(object)))
	return resource.Resource
}

// createAll creates objects, several at a time.
func createAll[T v1alpha1.Object](ctx context.Context, w *world, objects []T) error {
	for _, object := range objects {
		w.own[request("POST", resourceOf(object))]++
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, object := range objects {
		group.Go(func() error {
			if err := w.env.Client.Create(ctx, object); err != nil {
				return fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// delete deletes an object, and does not wait until it is gone.
func (w *world) delete(ctx context.Context, object *v1alpha1.SessionAccess) error {
	w.own[request("DELETE", resourceOf(object))]++
	if err := w.env.Client.Delete(ctx, object); err != nil {
		return fmt.Errorf("delete SessionAccess %s: %w", object.Name, err)
	}
	return nil
}

// waitReady waits until so many SessionAccesses are ready.
func (w *world) waitReady(ctx context.Context, n int) error {
	return w.waitAccesses(ctx, n, w.ready)
}

// waitSettled waits until so many SessionAccesses are ready and report which of
// their nodes are reached, which is the last that a manager writes about them.
func (w *world) waitSettled(ctx context.Context, n int) error {
	return w.waitAccesses(ctx, n, func(a *v1alpha1.SessionAccess) bool {
		return w.ready(a) && meta.FindStatusCondition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable) != nil
	})
}

func (w *world) ready(a *v1alpha1.SessionAccess) bool {
	return testenv.Ready(w.env.Client.Scheme(), a)
}

func (w *world) waitAccesses(ctx context.Context, n int, done func(*v1alpha1.SessionAccess) bool) error {
	return waitCount(ctx, w, &v1alpha1.SessionAccess{}, n, done)
}

// waitCount waits for longer than the tests do: a large batch takes its time.
func waitCount[T client.Object](ctx context.Context, w *world, obj T, n int, done func(T) bool) (err error) {
	for range longWait / testenv.Patience {
		if err = testenv.WaitCount(ctx, w.env.Client, obj, n, done); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}
