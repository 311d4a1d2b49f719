package sessiondocument

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// record writes into the status, before any call to AWS, where the document may exist
// and which tags it may have. The cleanup relies on that.
func (r *Reconciler) record(ctx context.Context, s *scope) error {
	if s.isObserving() && !controllerutil.ContainsFinalizer(s.Object, v1alpha1.Finalizer) {
		// Nothing is written, and nothing was: there is nothing to clean up.
		s.recordIn(v1alpha1.DocumentWouldWrite)
		return nil
	}
	if err := s.EnsureFinalizer(ctx); err != nil {
		return err
	}
	if !s.recordIn(v1alpha1.DocumentPending) {
		return nil
	}
	return s.persist(ctx)
}

// recordIn puts into the status what the operator has to remember, and reports whether
// any of it is new. New regions have this state.
func (s *scope) recordIn(state v1alpha1.DocumentState) (changed bool) {
	status := &s.Object.Status
	changed = status.AccountID != s.account.AccountID || status.Name != s.desired.name
	status.AccountID, status.Name = s.account.AccountID, s.desired.name
	for _, region := range s.desired.regions {
		if s.find(region) == nil {
			status.Regions = append(status.Regions, v1alpha1.DocumentRegion{Region: region, State: state})
			changed = true
		}
	}
	for _, key := range s.desired.declaredKeys() {
		if !slices.Contains(status.TagKeys, key) {
			status.TagKeys = append(status.TagKeys, key)
			changed = true
		}
	}
	slices.Sort(status.TagKeys)
	return changed
}

// find is the record of a region; nil when there is none.
func (s *scope) find(region v1alpha1.Region) *v1alpha1.DocumentRegion {
	for i := range s.Object.Status.Regions {
		if s.Object.Status.Regions[i].Region == region {
			return &s.Object.Status.Regions[i]
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

// persist records the status ahead of a write to AWS. An object that never had a condition
// says that it is being worked on. The error is a *recordError.
func (s *scope) persist(ctx context.Context) error {
	var result reconcile.Result
	ready := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != s.Object.Generation {
		result = applying(s.desired.name)
	}
	if err := s.Record(ctx, result); err != nil {
		return &recordError{err}
	}
	return nil
}
