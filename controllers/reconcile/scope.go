package reconcile

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Scope is one reconcile of one object. Create none: the frame does.
type Scope[T Object] struct {
	// Object as it changes. The frame patches its status; nothing else of it is stored.
	Object T
	// Priority at which the object is requeued: that of a grant, and that of a
	// revocation in a cleanup. The kind may change it.
	Priority int

	frame *Frame[T]
	// stored is the object as it was read or stored last.
	stored T
	// removed: the object does not exist any more, so nothing is written to it.
	removed bool
	// access is what the account allows, once it was read.
	access *admission.AccountAccess
}

// Deleting reports whether the object is being deleted, or is gone.
func (s *Scope[T]) Deleting() bool { return !s.Object.GetDeletionTimestamp().IsZero() }

// Access is what the account of the object allows. It is empty for an object that names
// no account.
func (s *Scope[T]) Access(ctx context.Context) (admission.AccountAccess, error) {
	if s.access != nil {
		return *s.access, nil
	}
	user, ok := any(s.Object).(v1alpha1.AccountUser)
	if !ok {
		return admission.AccountAccess{}, nil
	}
	access, err := accounts.Gather(ctx, s.frame.Client, user.AccountName(), s.Object.GetNamespace())
	if err == nil {
		s.access = &access
	}
	return access, err
}

// EnsureFinalizer puts the operator's finalizer on the object, which every write to AWS
// needs. An object that is gone, although the cache still shows it, is an error: nothing
// would clean up after it. An object that is being deleted gets none.
func (s *Scope[T]) EnsureFinalizer(ctx context.Context) error {
	if s.Deleting() || controllerutil.ContainsFinalizer(s.Object, v1alpha1.Finalizer) {
		return nil
	}
	if err := ensureFinalizer(ctx, s.frame.Client, s.Object); err != nil {
		return err
	}
	s.stored.SetFinalizers(s.Object.GetFinalizers())
	s.stored.SetResourceVersion(s.Object.GetResourceVersion())
	return nil
}

// Record stores the status ahead of a write to AWS that rests on it: what has to be
// cleaned up or put back later. Apart from the finalizer's, it is the only patch of the
// object before the one at the end, and makes none where nothing changed. An object that is gone is an error: the caller must not
// write to AWS.
func (s *Scope[T]) Record(ctx context.Context, r Result) error {
	if err := s.EnsureFinalizer(ctx); err != nil {
		return err
	}
	if err := s.store(ctx, r); err != nil {
		return err
	}
	s.stored = copyOf(s.Object)
	if r.AfterPatch != nil {
		r.AfterPatch()
	}
	return nil
}

// IsChanged reports whether the status differs from what is stored.
func (s *Scope[T]) IsChanged() bool {
	return !equality.Semantic.DeepEqual(statusOf(s.stored), statusOf(s.Object))
}

// Reset makes the status what is stored.
func (s *Scope[T]) Reset() {
	s.Object = copyOf(s.stored)
	s.renameConditions()
}

// renameConditions gives conditions that an earlier version stored their present names.
// They differ from what is stored then, so the frame stores them at the end.
func (s *Scope[T]) renameConditions() {
	_, conditions, _, _ := s.Object.StatusFields()
	v1alpha1.RenameConditions(conditions)
}

// patch stores the status at the end, or as much of it as the object has room for. An
// object that is gone has none.
func (s *Scope[T]) patch(ctx context.Context, r Result) error {
	err := s.store(ctx, r)
	if trimmer, ok := s.frame.kind.(Trimmer[T]); ok && Rejected(err) {
		ReportRejected(ctx, s.frame.Client, s.frame.Recorder, s.Object, err)
		for _, trimmed := range trimmer.Trim(s.Object) {
			s.Object = trimmed
			if _, err = writeStatus(ctx, s.frame.Client, s.stored, s.Object); !Rejected(err) {
				break
			}
		}
	}
	return client.IgnoreNotFound(err)
}

// store puts a result into the conditions, writes the status where it differs from what is
// stored, and records the event of a transition.
func (s *Scope[T]) store(ctx context.Context, r Result) error {
	transition, afterPatch := false, func() {}
	if r.Reason != "" {
		_, conditions, observedGeneration, uid := s.Object.StatusFields()
		*observedGeneration = s.Object.GetGeneration()
		if uid != nil {
			*uid = string(s.Object.GetUID())
		}
		transition = r.setPhase(conditions, s.Object.GetGeneration())
		if completer, ok := s.frame.kind.(Completer[T]); ok {
			if after := completer.Complete(s.Object); after != nil {
				afterPatch = after
			}
		}
	}
	if s.removed {
		s.frame.removed.put(copyOf(s.Object))
		return nil
	}
	written, err := writeStatus(ctx, s.frame.Client, s.stored, s.Object)
	if err != nil || !written {
		return err
	}
	if transition {
		RecordEvent(s.frame.Recorder, s.Object, r)
	}
	afterPatch()
	return nil
}

// release removes the finalizer, or forgets an object that is gone already. mine reports
// whether this call did it: it is false for an object that is gone, although the cache
// shows it.
func (s *Scope[T]) release(ctx context.Context) (mine bool, err error) {
	if s.removed {
		s.frame.removed.forget(s.Object)
		return true, nil
	}
	if isKept(s.Object) {
		// What stays of the object must not claim what the operator let go of.
		if _, err := WriteStatus(ctx, s.frame.Client, s.stored, s.Object); err != nil {
			return false, err
		}
	}
	s.frame.removed.release(s.Object.GetUID(), true)
	mine, err = releaseObject(ctx, s.frame.Client, s.frame.Reader, s.Object)
	if err != nil {
		s.frame.removed.release(s.Object.GetUID(), false)
	}
	return mine, err
}

// isKept reports whether another controller's finalizer keeps an object.
func isKept(obj client.Object) bool {
	return slices.ContainsFunc(obj.GetFinalizers(), func(f string) bool { return f != v1alpha1.Finalizer })
}
