package invariants

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Source is what a cluster is restored from.
type Source string

// What objects are created from again. All of them get other UIDs.
const (
	// Git has what was declared.
	Git Source = "Git"
	// WithoutStatus is a backup of the objects as they were stored, without status.
	WithoutStatus Source = "a backup without status"
	// WithStatus is a backup with it.
	WithStatus Source = "a backup with status"
)

// restoreWindow is how long after its creation an AWSAccount counts as restored.
const restoreWindow = time.Hour

// lost is an object that was there before the cluster was lost.
type lost struct{ declared, stored client.Object }

// Lose takes all objects out of the cluster as its loss does: no finalizer keeps them
// and no manager may run. The Secrets of activations are lost with them. It must be at
// rest.
func (h *Harness) Lose(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(h.written)) {
		w := h.written[id]
		stored := w.object.DeepCopyObject().(client.Object)
		if err := h.watcher.client.Get(ctx, client.ObjectKeyFromObject(stored), stored); err != nil {
			return fmt.Errorf("back up %s: %w", id, err)
		}
		free := stored.DeepCopyObject().(client.Object)
		if err := h.watcher.client.Patch(ctx, free, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
			return fmt.Errorf("take the finalizer off %s: %w", id, err)
		}
		if err := h.watcher.client.Delete(ctx, free); err != nil {
			return fmt.Errorf("lose %s: %w", id, err)
		}
		h.lost = append(h.lost, lost{declared: w.object, stored: stored})
	}
	for _, key := range h.secrets {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		if err := client.IgnoreNotFound(h.watcher.client.Delete(ctx, secret)); err != nil {
			return fmt.Errorf("lose Secret %s: %w", key, err)
		}
	}
	return nil
}

// Restore creates n of the objects that were lost, in the order of their ids or
// against it.
func (h *Harness) Restore(ctx context.Context, from Source, n int, backwards bool) error {
	if backwards {
		slices.Reverse(h.lost)
	}
	n = min(n, len(h.lost))
	for _, l := range h.lost[:n] {
		if err := h.restore(ctx, from, l); err != nil {
			return err
		}
	}
	h.lost = h.lost[n:]
	return nil
}

// Lost is how many objects are lost.
func (h *Harness) Lost() int { return len(h.lost) }

func (h *Harness) restore(ctx context.Context, from Source, l lost) error {
	obj := l.declared.DeepCopyObject().(client.Object)
	if from != Git {
		obj = l.stored.DeepCopyObject().(client.Object)
	}
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetFinalizers(nil)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetGeneration(0)
	if err := h.watcher.client.Create(ctx, obj); err != nil {
		return fmt.Errorf("restore %s: %w", h.id(l.declared), err)
	}
	w := h.written[h.id(l.declared)]
	w.uid, w.generation, w.restored = obj.GetUID(), obj.GetGeneration(), true
	h.written[h.id(l.declared)] = w
	if from != WithStatus {
		return nil
	}
	return h.putBackStatus(ctx, obj, l.stored)
}

// putBackStatus writes the status of a backup. The manager may write meanwhile.
func (h *Harness) putBackStatus(ctx context.Context, obj, stored client.Object) error {
	for {
		with := stored.DeepCopyObject().(client.Object)
		with.SetUID(obj.GetUID())
		with.SetResourceVersion(obj.GetResourceVersion())
		err := h.watcher.client.Status().Update(ctx, with)
		if !apierrors.IsConflict(err) {
			return err
		}
		if err := h.watcher.client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return fmt.Errorf("restore the status of %s: %w", h.id(obj), err)
		}
	}
}

// Restored notes what is lost with the objects and what is not. Where a manager runs
// before all of them are back, sessions may end that one of them covers.
func (o *Observer) Restored(from Source, meanwhile bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if meanwhile {
		for _, s := range o.sessions {
			s.kept = false
		}
		for _, f := range o.tokens {
			f.kept = false
		}
	}
	if from == WithStatus {
		return
	}
	if o.tierBefore != "" {
		o.tierBefore = o.tier // What was there before is in the status alone.
	}
	if o.server.Now().After(time.Now().Add(restoreWindow)) {
		o.forgetMachines()
	}
	for _, d := range o.declared {
		d.bond = newBond() // So are the ids of principals.
	}
	for _, f := range o.tokens {
		f.older = false // And the beginnings of grants.
	}
	o.reconsider()
}

// forgetMachines leaves open what becomes of sessions on machines of an activation, where
// the clock of AWS is so far ahead that a restored AWSAccount does not count as restored:
// the API server's clock says when it was created. Since when an activation's machines
// are granted is in no record then, and not in IAM any more once another object of the
// same principal was restored before. The lock is held.
func (o *Observer) forgetMachines() {
	for id, s := range o.sessions {
		if s.Node.Of != "" {
			delete(o.sessions, id)
		}
	}
}
