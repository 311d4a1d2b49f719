package hybridactivation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // The scripts are files of their own.
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
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
	c := content{registration{ID: "none", Code: ssm.NewActivationCode("none"), Region: string(a.Spec.Region)}, v1alpha1.ActivationRequest{}}
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

// Annotations of the Secret. AWS returns a code only once, so the Secret itself records
// which request made its content, and whether that is still what the operator wrote.
const (
	annotationRequest = v1alpha1.TagPrefix + "request"
	annotationDigest  = v1alpha1.TagPrefix + "digest"
)

// content is an activation that has a stored code.
type content struct {
	registration
	request v1alpha1.ActivationRequest
}

// secretState says whose a Secret is.
type secretState int

const (
	secretAbsent secretState = iota
	// secretForeign is not controlled by the object, and never written.
	secretForeign
	secretOurs
)

// secretView is what the operator makes of a Secret.
type secretView struct {
	state secretState
	// content that the operator wrote; nil when there is none, or when the content
	// was changed since: the code is lost then.
	content *content
	// stale: what follows from the content is not as the operator writes it.
	stale bool
}

// viewSecret judges a Secret, nil when there is none.
func viewSecret(secret *corev1.Secret, owner types.UID) secretView {
	if secret == nil {
		return secretView{}
	}
	if controller := metav1.GetControllerOf(secret); controller == nil || controller.UID != owner {
		return secretView{state: secretForeign}
	}
	view := secretView{state: secretOurs}
	request, err := parseRequest(secret.Annotations[annotationRequest])
	if err != nil {
		return view
	}
	c := content{registration{
		ID: string(secret.Data[v1alpha1.SecretKeyID]), Code: ssm.NewActivationCode(string(secret.Data[v1alpha1.SecretKeyCode])),
		Region: string(secret.Data[v1alpha1.SecretKeyRegion]),
	}, request}
	if subtle.ConstantTimeCompare([]byte(digest(c, owner)), []byte(secret.Annotations[annotationDigest])) != 1 {
		return view
	}
	view.content = &c
	return view
}

// inRegion notes whether the Secret is as the operator would write it for a
// region.
func (v secretView) inRegion(region string, data map[string][]byte) secretView {
	if v.content == nil {
		return v
	}
	v.content.Region = region
	v.stale = !maps.EqualFunc(data, render(v.content.registration), bytes.Equal)
	return v
}

// render makes the data of the Secret.
func render(r registration) map[string][]byte {
	return map[string][]byte{
		v1alpha1.SecretKeyID:      []byte(r.ID),
		v1alpha1.SecretKeyCode:    []byte(r.Code.Reveal()),
		v1alpha1.SecretKeyRegion:  []byte(r.Region),
		v1alpha1.SecretKeyLinux:   []byte(linuxScript(r)),
		v1alpha1.SecretKeyWindows: []byte(windowsScript(r)),
	}
}

// digest covers what cannot be had again once it is lost. It stays in the
// Secret, beside the code.
func digest(c content, owner types.UID) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(owner), c.ID, c.Code.Reveal(), formatRequest(c.request)}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// formatRequest writes a request on one line.
func formatRequest(r v1alpha1.ActivationRequest) string {
	return fmt.Sprintf("%s %s %s", r.Nonce, r.RequestedAt.UTC().Format(time.RFC3339), r.ExpiresAt.UTC().Format(time.RFC3339))
}

// parseRequest reads what formatRequest wrote.
func parseRequest(text string) (v1alpha1.ActivationRequest, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("%q is not a nonce and two times", text)
	}
	requested, err := time.Parse(time.RFC3339, fields[1])
	if err != nil {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("the time of the request: %w", err)
	}
	expires, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("the expiry: %w", err)
	}
	return v1alpha1.ActivationRequest{Nonce: fields[0], RequestedAt: metav1.NewTime(requested.UTC()), ExpiresAt: metav1.NewTime(expires.UTC())}, nil
}

// redact removes a code from an error: whatever refuses a Secret, such as a webhook,
// may repeat what it was sent. An error that holds the code is replaced by its text,
// so that no wrapped error exposes it.
func redact(err error, hidden ssm.ActivationCode) error {
	code := hidden.Reveal()
	if err == nil || code == "" {
		return err
	}
	text := err.Error()
	for _, form := range append([]string{code}, encoded(code)...) {
		text = strings.ReplaceAll(text, form, "[activation code]")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// encoded are the forms that a code has inside of what is encoded in base64, such
// as the scripts: one for each place in a group of three bytes at which it may
// begin. Characters at the edges that hold bits of its neighbours are left out.
func encoded(code string) []string {
	var forms []string
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), code...))
		begin, end := (8*shift+5)/6, 8*(shift+len(code))/6
		if begin < end {
			forms = append(forms, text[begin:end])
		}
	}
	return forms
}

// registration is what a machine needs to register.
type registration struct {
	ID, Region string
	// Code is hidden until the Secret is rendered.
	Code ssm.ActivationCode
}

// The scripts are complete but for three values, which placeholders stand for.
var (
	//go:embed register-linux.sh
	linuxTemplate string
	//go:embed register-windows.ps1
	windowsTemplate string
)

// linuxScript registers a Linux machine on which the agent is installed, from a
// package or as a snap.
func linuxScript(r registration) string {
	return fill(linuxTemplate, r, shellQuote)
}

// windowsScript registers a Windows machine on which the agent is installed.
func windowsScript(r registration) string {
	return strings.ReplaceAll(fill(windowsTemplate, r, powerShellQuote), "\n", "\r\n")
}

// fill puts the values into a script, each quoted. A value that looks like a
// placeholder stays what it is.
func fill(template string, r registration, quote func(string) string) string {
	return strings.NewReplacer(
		"@activation_id@", quote(r.ID), "@activation_code@", quote(r.Code.Reveal()), "@region@", quote(r.Region),
	).Replace(template)
}

// shellQuote makes one word of any text for a POSIX shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// powerShellQuotes are what PowerShell takes for a single quote, each doubled.
var powerShellQuotes = strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛")

// powerShellQuote makes one string of any text for PowerShell.
func powerShellQuote(text string) string {
	return "'" + powerShellQuotes.Replace(text) + "'"
}
