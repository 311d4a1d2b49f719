package invariants

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Try creates an object as an attacker would, who is not bound to what a Go type
// can hold. accepted is false where the API server refuses it. For a SessionAccess
// the model knows the result. Anything else must lead to a decision, and nothing
// of it may be left after its deletion.
func (h *Harness) Try(ctx context.Context, u *unstructured.Unstructured) (accepted bool, err error) {
	rejected := h.suspect(u)
	// Patches of it begin with the object as it was sent, not as the server
	// returned it.
	err = h.watcher.client.Create(ctx, u)
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		rejected()
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("try %s: %w", id(u), err)
	}
	h.written[id(u)] = written{uid: u.GetUID(), generation: u.GetGeneration(), loose: u.GetKind() != "SessionAccess"}
	return true, nil
}

// Forget deletes an object that was tried.
func (h *Harness) Forget(ctx context.Context, u *unstructured.Unstructured) error {
	if err := client.IgnoreNotFound(h.watcher.client.Delete(ctx, u)); err != nil {
		return fmt.Errorf("delete %s: %w", id(u), err)
	}
	w := h.written[id(u)]
	w.deleted = true
	h.written[id(u)] = w
	h.suspected(u)()
	return nil
}

// suspect adds to the model what an object may declare. The function that it
// returns removes that.
func (h *Harness) suspect(u *unstructured.Unstructured) (rejected func()) {
	switch u.GetKind() {
	case "SessionAccess":
		var access v1alpha1.SessionAccess
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &access); err != nil {
			return func() {} // Not even a SessionAccess: the API server will see that too.
		}
		return h.Observer.Declare(client.ObjectKeyFromObject(u), access.Spec)
	case "SessionDocument":
		h.Observer.MayDeclareDocument(documentName(u), text(u, "inputs", "shellProfile", "linux"))
	case "HybridActivation":
		limit, _, _ := unstructured.NestedInt64(u.Object, "spec", "registrationLimit") // Absent is the default.
		h.Observer.MayDeclareActivation(text(u, "description"), int32(max(limit, 1)))
	}
	return h.suspected(u)
}

// suspected takes an object back from the model.
func (h *Harness) suspected(u *unstructured.Unstructured) func() {
	return func() {
		switch u.GetKind() {
		case "SessionAccess":
			h.Observer.Withdraw(client.ObjectKeyFromObject(u))
		case "SessionDocument":
			h.Observer.WithdrawDocument(documentName(u))
		case "HybridActivation":
			h.Observer.WithdrawActivation(text(u, "description"))
		}
	}
}

// documentName is the name in AWS.
func documentName(u *unstructured.Unstructured) string {
	if name := text(u, "name"); name != "" {
		return name
	}
	return u.GetName()
}

// text is a string of the spec; empty where there is none.
func text(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, append([]string{"spec"}, path...)...)
	return s
}
