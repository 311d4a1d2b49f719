package hybridactivation

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// The operator may read and write single Secrets, and list and watch none: they
// are read past the cache, which would ask for all of them.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;update;delete

// secrets are the Secrets of one object.
type secrets struct {
	// target is the one that the spec names.
	target secretView
	// found is the Secret of that name as it was read; nil when there is none.
	found *corev1.Secret
	// former is the one that was written before the spec named another; nil when the
	// operator owns none.
	former *corev1.Secret
	// stored is the content that either holds; nil when no code is stored.
	stored *content
}

// readSecrets reads the Secret that the spec names and the one that the record
// names, where that is another.
func (r *Reconciler) readSecrets(ctx context.Context, a *v1alpha1.HybridActivation) (secrets, error) {
	var s secrets
	var err error
	if s.found, err = r.readSecret(ctx, a, a.SecretName()); err != nil {
		return s, err
	}
	s.target = viewSecret(s.found, a.UID)
	if s.found != nil {
		s.target = s.target.inRegion(string(a.Spec.Region), s.found.Data)
	}
	s.stored = s.target.content
	if record := a.Status.Record; record != nil && record.SecretName != "" && record.SecretName != a.SecretName() {
		former, err := r.readSecret(ctx, a, record.SecretName)
		if err != nil {
			return s, err
		}
		if view := viewSecret(former, a.UID); view.state == secretOurs {
			s.former = former
			if s.stored == nil {
				s.stored = view.inRegion(string(a.Spec.Region), former.Data).content
			}
		}
	}
	return s, nil
}

func (r *Reconciler) readSecret(ctx context.Context, a *v1alpha1.HybridActivation, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	switch err := r.Reader.Get(ctx, client.ObjectKey{Namespace: a.Namespace, Name: name}, secret); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Secret %q: %w", name, err)
	}
	return secret, nil
}

// store writes the content into the Secret that the spec names, and removes the
// one that it named before. The Secret is owned by this operator or absent; if that has
// changed since it was read, the API server refuses the write.
func (r *Reconciler) store(ctx context.Context, a *v1alpha1.HybridActivation, s secrets, c content) error {
	if s.found != nil && s.found.Immutable != nil && *s.found.Immutable {
		// What it holds is about to be written again.
		if err := r.deleteSecret(ctx, s.found); err != nil {
			return err
		}
		s.found = nil
	}
	c.Region = string(a.Spec.Region)
	if err := writeSecret(ctx, r.Client, a, s.found, c); err != nil {
		return err
	}
	return r.deleteSecret(ctx, s.former)
}

// dryRunSecret has the API server check the write of a Secret without doing it.
func (r *Reconciler) dryRunSecret(ctx context.Context, a *v1alpha1.HybridActivation, s secrets) error {
	c := content{registration{ID: "none", Code: cloud.NewActivationCode("none"), Region: string(a.Spec.Region)}, v1alpha1.ActivationRequest{}}
	found := s.found
	if found != nil && found.Immutable != nil && *found.Immutable {
		return nil // It is replaced by another, which cannot be tried.
	}
	return writeSecret(ctx, client.NewDryRunClient(r.Client), a, found, c)
}

func writeSecret(ctx context.Context, to client.Client, a *v1alpha1.HybridActivation, found *corev1.Secret, c content) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.SecretName()}}
	if found != nil {
		secret = found.DeepCopy()
	}
	annotations := maps.Clone(secret.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationRequest], annotations[annotationDigest] = formatRequest(c.request), digest(c, a.UID)
	secret.Annotations, secret.Data = annotations, render(c.registration)
	if found != nil {
		if err := to.Update(ctx, secret); err != nil {
			return fmt.Errorf("update Secret %q: %w", secret.Name, err)
		}
		return nil
	}
	// Blocking the owner's deletion would need a right on its finalizers, and the
	// object has one of its own anyway.
	if err := controllerutil.SetControllerReference(a, secret, to.Scheme(), controllerutil.WithBlockOwnerDeletion(false)); err != nil {
		return fmt.Errorf("own Secret %q: %w", secret.Name, err)
	}
	if err := to.Create(ctx, secret); err != nil {
		return fmt.Errorf("create Secret %q: %w", secret.Name, err)
	}
	return nil
}

// deleteSecret deletes a Secret as it was read, and no other of its name. It may
// be nil, or gone.
func (r *Reconciler) deleteSecret(ctx context.Context, secret *corev1.Secret) error {
	if secret == nil {
		return nil
	}
	as := client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion}
	if err := client.IgnoreNotFound(r.Client.Delete(ctx, secret, as)); err != nil {
		return fmt.Errorf("delete Secret %q: %w", secret.Name, err)
	}
	return nil
}

// dropSecrets deletes the Secrets that this operator owns.
func (r *Reconciler) dropSecrets(ctx context.Context, s secrets) error {
	if s.target.state == secretOurs {
		if err := r.deleteSecret(ctx, s.found); err != nil {
			return err
		}
	}
	return r.deleteSecret(ctx, s.former)
}
