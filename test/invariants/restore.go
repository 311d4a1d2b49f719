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
func (b *Bed) Lose(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(b.written)) {
		w := b.written[id]
		stored := w.object.DeepCopyObject().(client.Object)
		if err := b.lens.client.Get(ctx, client.ObjectKeyFromObject(stored), stored); err != nil {
			return fmt.Errorf("back up %s: %w", id, err)
		}
		free := stored.DeepCopyObject().(client.Object)
		if err := b.lens.client.Patch(ctx, free, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
			return fmt.Errorf("take the finalizer off %s: %w", id, err)
		}
		if err := b.lens.client.Delete(ctx, free); err != nil {
			return fmt.Errorf("lose %s: %w", id, err)
		}
		b.lost = append(b.lost, lost{declared: w.object, stored: stored})
	}
	for _, key := range b.secrets {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		if err := client.IgnoreNotFound(b.lens.client.Delete(ctx, secret)); err != nil {
			return fmt.Errorf("lose Secret %s: %w", key, err)
		}
	}
	return nil
}

// Restore creates n of the objects that were lost, in the order of their ids or
// against it.
func (b *Bed) Restore(ctx context.Context, from Source, n int, backwards bool) error {
	if backwards {
		slices.Reverse(b.lost)
	}
	n = min(n, len(b.lost))
	for _, l := range b.lost[:n] {
		if err := b.restore(ctx, from, l); err != nil {
			return err
		}
	}
	b.lost = b.lost[n:]
	return nil
}

// Lost is how many objects are lost.
func (b *Bed) Lost() int { return len(b.lost) }

func (b *Bed) restore(ctx context.Context, from Source, l lost) error {
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
	if err := b.lens.client.Create(ctx, obj); err != nil {
		return fmt.Errorf("restore %s: %w", b.id(l.declared), err)
	}
	w := b.written[b.id(l.declared)]
	w.uid, w.generation, w.restored = obj.GetUID(), obj.GetGeneration(), true
	b.written[b.id(l.declared)] = w
	if from != WithStatus {
		return nil
	}
	return b.putBackStatus(ctx, obj, l.stored)
}

// putBackStatus writes the status of a backup. The manager may write meanwhile.
func (b *Bed) putBackStatus(ctx context.Context, obj, stored client.Object) error {
	for {
		with := stored.DeepCopyObject().(client.Object)
		with.SetUID(obj.GetUID())
		with.SetResourceVersion(obj.GetResourceVersion())
		err := b.lens.client.Status().Update(ctx, with)
		if !apierrors.IsConflict(err) {
			return err
		}
		if err := b.lens.client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return fmt.Errorf("restore the status of %s: %w", b.id(obj), err)
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
