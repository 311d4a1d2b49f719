package declared

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
)

// World is what a set of manifests declares, as though all of it were applied at once to
// an empty cluster and an account without policies of the operator.
type World struct {
	accounts    map[string]*v1alpha1.AWSAccount
	namespaces  map[string]*corev1.Namespace
	documents   map[types.NamespacedName]*v1alpha1.SessionDocument
	activations map[types.NamespacedName]*v1alpha1.HybridActivation
	accesses    []*v1alpha1.SessionAccess
	tiers       []*v1alpha1.AccountTier

	// places has where each object stands, by its UID.
	places map[types.UID]*manifest.Object
}

// New takes objects that were validated, and namespaces. It leaves out what is neither. The
// problems are objects that are declared twice: the first one counts.
func New(objects []*manifest.Object) (*World, []*manifest.Problem) {
	w := &World{
		accounts: map[string]*v1alpha1.AWSAccount{}, namespaces: map[string]*corev1.Namespace{},
		documents: map[types.NamespacedName]*v1alpha1.SessionDocument{}, activations: map[types.NamespacedName]*v1alpha1.HybridActivation{},
		places: map[types.UID]*manifest.Object{},
	}
	var problems []*manifest.Problem
	for _, o := range objects {
		// The UID stands for that which the API server will give it.
		uid := types.UID(o.Identity())
		if first, ok := w.places[uid]; ok {
			problems = append(problems, o.Problem("metadata.name", fmt.Sprintf("the same object is declared in %s too; remove one of them", first.Where())))
			continue
		}
		if err := w.add(o, uid); err != nil {
			problems = append(problems, o.Problem("", err.Error()))
			continue
		}
		w.places[uid] = o
	}
	return w, problems
}

// add decodes an object as the first generation of one with a UID.
func (w *World) add(o *manifest.Object, uid types.UID) error {
	o = &manifest.Object{Unstructured: o.DeepCopy(), File: o.File}
	o.SetUID(uid)
	o.SetGeneration(1)
	name := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
	if o.GroupVersionKind() == corev1.SchemeGroupVersion.WithKind("Namespace") {
		namespace, err := manifest.Decode[corev1.Namespace](o)
		w.namespaces[name.Name] = namespace
		return err
	}
	if o.GroupVersionKind().GroupVersion() != v1alpha1.GroupVersion {
		return nil
	}
	var err error
	switch o.GetKind() {
	case "AWSAccount":
		w.accounts[name.Name], err = manifest.Decode[v1alpha1.AWSAccount](o)
	case "SessionDocument":
		w.documents[name], err = manifest.Decode[v1alpha1.SessionDocument](o)
	case "HybridActivation":
		w.activations[name], err = manifest.Decode[v1alpha1.HybridActivation](o)
	case "SessionAccess":
		access, failure := manifest.Decode[v1alpha1.SessionAccess](o)
		w.accesses, err = append(w.accesses, access), failure
	case "AccountTier":
		tier, failure := manifest.Decode[v1alpha1.AccountTier](o)
		w.tiers, err = append(w.tiers, tier), failure
	}
	return err
}

// access is what decides whether an object may use its account.
func (w *World) access(account, namespace string) admission.AccountAccess {
	in := admission.AccountAccess{Name: account, Account: w.accounts[account], NamespaceName: namespace, Namespace: w.namespaces[namespace]}
	if in.Account == nil {
		return in
	}
	// Which of two AWSAccounts is used first depends on which one is created first. Here
	// it is the first by name.
	for name, other := range w.accounts {
		if name < account && other.Spec.AccountID == in.Account.Spec.AccountID && (in.Rival == "" || name < in.Rival) {
			in.Rival = name
		}
	}
	return in
}

// Regions are those of all accounts, sorted.
func (w *World) Regions() []v1alpha1.Region {
	var regions []v1alpha1.Region
	for _, account := range w.accounts {
		regions = append(regions, account.Spec.Regions...)
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// refused is the problem of an object that the operator refuses.
func (w *World) refused(uid types.UID, reason, message string) *manifest.Problem {
	p := w.places[uid].Problem("", message)
	p.Reason = reason
	return p
}
