package sessiondocument

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// record writes into the status, before any call to AWS, where the document may exist
// and which tags it may have. The cleanup relies on that.
func (r *Reconciler) record(ctx context.Context, p *pass) error {
	if p.observing() && !controllerutil.ContainsFinalizer(p.doc, v1alpha1.Finalizer) {
		// Nothing is written, and nothing was: there is nothing to clean up.
		p.recordIn(v1alpha1.DocumentWouldWrite)
		return nil
	}
	had := controllerutil.ContainsFinalizer(p.doc, v1alpha1.Finalizer)
	if err := reconcile.EnsureFinalizer(ctx, r.Client, p.doc); err != nil {
		return err
	}
	if !had {
		p.before = p.doc.DeepCopy()
	}
	if !p.recordIn(v1alpha1.DocumentPending) {
		return nil
	}
	return r.persist(ctx, p)
}

// recordIn puts into the status what the operator has to remember, and reports whether
// any of it is new. New regions have this state.
func (p *pass) recordIn(state v1alpha1.DocumentState) (changed bool) {
	status := &p.doc.Status
	changed = status.AccountID != p.account.AccountID || status.Name != p.want.name
	status.AccountID, status.Name = p.account.AccountID, p.want.name
	for _, region := range p.want.regions {
		if p.find(region) == nil {
			status.Regions = append(status.Regions, v1alpha1.DocumentRegion{Region: region, State: state})
			changed = true
		}
	}
	for _, key := range p.want.declaredKeys() {
		if !slices.Contains(status.TagKeys, key) {
			status.TagKeys = append(status.TagKeys, key)
			changed = true
		}
	}
	slices.Sort(status.TagKeys)
	return changed
}

// find is the record of a region; nil when there is none.
func (p *pass) find(region v1alpha1.Region) *v1alpha1.DocumentRegion {
	for i := range p.doc.Status.Regions {
		if p.doc.Status.Regions[i].Region == region {
			return &p.doc.Status.Regions[i]
		}
	}
	return nil
}

// recordError reports that the status could not be written, so that the operator must not
// write to AWS either.
type recordError struct{ err error }

// Error implements error.
func (e *recordError) Error() string { return "record what is about to be written: " + e.err.Error() }

// Unwrap gives the cause.
func (e *recordError) Unwrap() error { return e.err }

// persist writes the status in the middle of a pass. An object that never had a
// condition says that it is being worked on. The error is a *recordError.
func (r *Reconciler) persist(ctx context.Context, p *pass) error {
	ready := meta.FindStatusCondition(p.doc.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != p.doc.Generation {
		v := applying(p.want.name)
		v.Apply(&p.doc.Status.Conditions, p.doc.Generation)
		p.doc.Status.ObservedGeneration = p.doc.Generation
	}
	if equality.Semantic.DeepEqual(p.before.Status, p.doc.Status) {
		return nil
	}
	written, err := reconcile.WriteStatus(ctx, r.Client, p.before, p.doc)
	if err == nil && !written {
		err = apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("sessiondocuments").GroupResource(), p.doc.Name)
	}
	if err != nil {
		return &recordError{err}
	}
	p.before = p.doc.DeepCopy()
	return nil
}
