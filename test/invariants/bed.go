package invariants

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// window is longer than IAM's consistency window. The clock jumps over it.
	window = cloud.ConsistencyWindow + 2*time.Second
	// resync is shorter than the window, so that a jump makes one due.
	resync = cloud.ConsistencyWindow / 2
)

// Bed is a cluster and an emulated AWS with an observer, on which declarations
// are made.
type Bed struct {
	*testenv.Env
	Observer *Observer
	Universe Universe
	// AttemptTimeout is how long managers wait for an answer of AWS. Zero: as long as
	// in production.
	AttemptTimeout time.Duration
	// Within is how much of AWS's time may pass from a call of Rest until AWS equals
	// the declarations; zero: as much as there is.
	Within time.Duration
	// Stirred: principals of IAM have changed since the last rest.
	Stirred bool
	// Untimed: so many calls fail that the pauses between them, on the machine's clock,
	// are all that could be measured.
	Untimed bool

	lens *Lens
	// written are the objects as they were accepted last, by id.
	written map[string]written
	// secrets are those of all HybridActivations that were declared, by description.
	secrets map[string]client.ObjectKey
	// jumps counts how often the clock was moved on since the last rest.
	jumps int
	// waited is how much of that was for what objects say that they wait for.
	waited time.Duration
	// troubles are what AWS fails at until the next rest.
	troubles []trouble
	// lost are the objects of a cluster that was lost.
	lost []lost
	// slowest and longestWait are the most of AWS's time that a rest took and waited.
	slowest, longestWait time.Duration
}

type written struct {
	uid        types.UID
	generation int64
	deleted    bool
	// loose: any decision is right.
	loose bool
	// object is what was declared.
	object client.Object
	// restored: it was lost and created again.
	restored bool
}

// NewBed makes a bed, with an account that allows Namespace and Neighbour,
// and whose guardrail lets them name users alone whose names begin as expected. It has no manager.
func NewBed(ctx context.Context, cluster *testenv.Cluster, lens *Lens) (*Bed, error) {
	u, fixture := Small()
	env, err := testenv.Start(ctx, testenv.Options{Cluster: cluster, Fixture: fixture})
	if err != nil {
		return nil, err
	}
	env.Emulator.SetTierTimes(ssm.TierTimes{Up: time.Minute, Down: time.Minute})
	facts := Facts{
		Allowed: []string{Namespace, Neighbour}, Regions: []v1alpha1.Region{v1alpha1.Region(u.Region)}, Users: []string{"user", "ghost"},
	}
	for _, p := range u.People {
		facts.Exist = append(facts.Exist, p.As...)
	}
	b := &Bed{Env: env, Universe: u, lens: lens, written: map[string]written{}, secrets: map[string]client.ObjectKey{}, Observer: NewObserver(env.Emulator, u, facts, testenv.DefaultOwner)}
	lens.showTo(b.Observer.Search)
	for name, label := range map[string]string{Namespace: "allowed", Neighbour: "allowed", OtherNamespace: "other"} {
		if err := env.Namespace(ctx, name, map[string]string{"proof": label}); err != nil {
			return nil, fmt.Errorf("%w; %w", err, env.Close())
		}
	}
	return b, nil
}

// Account is the AWSAccount of the bed.
func (b *Bed) Account() *v1alpha1.AWSAccount {
	named := func(kind v1alpha1.PrincipalKind, pattern string) v1alpha1.PrincipalPattern {
		return v1alpha1.PrincipalPattern{Kind: kind, Name: v1alpha1.NamePattern(pattern)}
	}
	return &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: AccountName},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: b.Universe.AccountID, Regions: []v1alpha1.Region{v1alpha1.Region(b.Universe.Region)},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{
				From: v1alpha1.NamespacesSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"proof": "allowed"}},
			},
			Guardrails: []v1alpha1.Guardrail{{
				Name: "people", NamespaceSelector: &metav1.LabelSelector{},
				Principals: []v1alpha1.PrincipalPattern{
					named(v1alpha1.PrincipalUser, "user*"), named(v1alpha1.PrincipalUser, "ghost*"), named(v1alpha1.PrincipalGroup, "*"),
					named(v1alpha1.PrincipalRole, "*"), named(v1alpha1.PrincipalPermissionSet, "*"),
				},
				Activations: &v1alpha1.ActivationRule{Roles: []v1alpha1.NamePattern{nodeRole}},
			}},
		},
	}
}

// Access is a SessionAccess in a namespace.
func Access(namespace, name string, spec v1alpha1.SessionAccessSpec) *v1alpha1.SessionAccess {
	spec.AccountRef.Name = AccountName
	return &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}
}

// Document is a SessionDocument in Namespace, whose sessions on Linux begin with
// a command.
func Document(name, command string) *v1alpha1.SessionDocument {
	return &v1alpha1.SessionDocument{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name},
		Spec: v1alpha1.SessionDocumentSpec{
			AccountRef: v1alpha1.AccountReference{Name: AccountName},
			Inputs:     &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: command}},
		},
	}
}

// Tier is the AccountTier of the bed.
func Tier(tier v1alpha1.Tier) *v1alpha1.AccountTier {
	return &v1alpha1.AccountTier{
		ObjectMeta: metav1.ObjectMeta{Name: AccountName},
		Spec:       v1alpha1.AccountTierSpec{AccountRef: v1alpha1.AccountReference{Name: AccountName}, Tier: tier},
	}
}

// Activation is a HybridActivation in a namespace. Its nodes are removed with
// it.
func Activation(namespace, name string, limit int32) *v1alpha1.HybridActivation {
	return &v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.HybridActivationSpec{
			AccountRef: v1alpha1.AccountReference{Name: AccountName}, Region: region, Role: nodeRole, RegistrationLimit: &limit,
			Description: namespace + "/" + name, OnDelete: v1alpha1.ActivationDeletion{Nodes: v1alpha1.NodesDeregister},
		},
	}
}

// Apply creates an object, or updates the spec of the existing one. accepted is
// false where the API server refuses what is declared.
func (b *Bed) Apply(ctx context.Context, obj client.Object) (accepted bool, err error) {
	rejected, wanted := b.declare(obj), obj.DeepCopyObject().(client.Object)
	err = b.apply(ctx, obj)
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		rejected()
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("declare %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	if a, ok := wanted.(*v1alpha1.HybridActivation); ok {
		b.secrets[a.Spec.Description] = client.ObjectKeyFromObject(a)
		if a.Spec.SecretName != "" {
			b.secrets[a.Spec.Description] = client.ObjectKey{Namespace: a.Namespace, Name: a.Spec.SecretName}
		}
	}
	former := b.written[b.id(obj)]
	b.written[b.id(obj)] = written{
		uid: obj.GetUID(), generation: obj.GetGeneration(), object: wanted,
		restored: former.restored && former.uid == obj.GetUID(),
	}
	b.loosen()
	return true, nil
}

// declare adds an object to the model. The function that it returns removes it.
func (b *Bed) declare(obj client.Object) (rejected func()) {
	switch obj := obj.(type) {
	case *v1alpha1.SessionAccess:
		return b.Observer.Declare(client.ObjectKeyFromObject(obj), obj.Spec)
	case *v1alpha1.AccountTier:
		return b.Observer.DeclareTier(obj)
	case *v1alpha1.AWSAccount:
		return b.Observer.DeclareAccount(&obj.Spec)
	default:
		return b.Observer.DeclareThing(obj)
	}
}

// loosen accepts any decision for the objects whose result the model does not
// know.
func (b *Bed) loosen() {
	for id, w := range b.written {
		if w.object != nil {
			w.loose = b.Observer.doubts(w.object)
			b.written[id] = w
		}
	}
}

// apply writes an object, and leaves in it what the API server made of it.
func (b *Bed) apply(ctx context.Context, obj client.Object) error {
	wanted := obj.DeepCopyObject().(client.Object)
	err := b.lens.client.Create(ctx, obj)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	present := wanted.DeepCopyObject().(client.Object)
	if err := b.lens.client.Get(ctx, client.ObjectKeyFromObject(wanted), present); err != nil {
		return err
	}
	before := present.DeepCopyObject().(client.Object)
	setSpec(present, wanted)
	if err := b.lens.client.Patch(ctx, present, client.MergeFrom(before)); err != nil {
		return err
	}
	obj.SetUID(present.GetUID())
	obj.SetGeneration(present.GetGeneration())
	return nil
}

// Delete deletes an object; it is no error if there is none.
func (b *Bed) Delete(ctx context.Context, obj client.Object) error {
	atOnce, err := b.remove(ctx, obj)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	if w, ok := b.written[b.id(obj)]; ok {
		w.deleted = true
		b.written[b.id(obj)] = w
	}
	switch obj := obj.(type) {
	case *v1alpha1.SessionAccess:
		b.Observer.Withdraw(client.ObjectKeyFromObject(obj))
	case *v1alpha1.SessionDocument, *v1alpha1.HybridActivation:
		if b.Observer.WithdrawThing(obj); atOnce && b.written[b.id(obj)].restored {
			b.Observer.LeaveThing(obj)
		}
	case *v1alpha1.AccountTier:
		if declared, ok := b.written[b.id(obj)].object.(*v1alpha1.AccountTier); ok {
			b.Observer.WithdrawTier(declared.Spec.OnDelete)
		}
	}
	b.loosen()
	return nil
}

// remove deletes an object. atOnce reports whether it had no finalizer.
func (b *Bed) remove(ctx context.Context, obj client.Object) (atOnce bool, err error) {
	for {
		stored := obj.DeepCopyObject().(client.Object)
		if err := b.lens.client.Get(ctx, client.ObjectKeyFromObject(obj), stored); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		version := stored.GetResourceVersion()
		err := b.lens.client.Delete(ctx, stored, client.Preconditions{ResourceVersion: &version})
		if !apierrors.IsConflict(err) {
			return len(stored.GetFinalizers()) == 0, client.IgnoreNotFound(err)
		}
	}
}

// Accesses are the SessionAccesses that are declared, by name.
func (b *Bed) Accesses() []*v1alpha1.SessionAccess {
	var all []*v1alpha1.SessionAccess
	for _, key := range slices.Sorted(maps.Keys(b.written)) {
		if access, ok := b.written[key].object.(*v1alpha1.SessionAccess); ok && !b.written[key].deleted {
			all = append(all, access.DeepCopy())
		}
	}
	return all
}

// Knows reports whether an object of that kind and name is declared, or is being
// deleted.
func (b *Bed) Knows(obj client.Object) bool {
	_, ok := b.written[b.id(obj)]
	return ok
}

// Leaving reports whether an object of that kind and name is being deleted.
func (b *Bed) Leaving(obj client.Object) bool { return b.written[b.id(obj)].deleted }

func (b *Bed) id(obj client.Object) string {
	return kindOf(obj) + "/" + client.ObjectKeyFromObject(obj).String()
}

func kindOf(obj client.Object) string {
	switch obj.(type) {
	case *v1alpha1.AWSAccount:
		return "AWSAccount"
	case *v1alpha1.SessionDocument:
		return "SessionDocument"
	case *v1alpha1.AccountTier:
		return "AccountTier"
	case *v1alpha1.HybridActivation:
		return "HybridActivation"
	case *v1alpha1.SessionAccess:
		return "SessionAccess"
	default:
		return obj.GetObjectKind().GroupVersionKind().Kind
	}
}

func setSpec(to, from client.Object) {
	switch to := to.(type) {
	case *v1alpha1.AWSAccount:
		to.Spec = from.(*v1alpha1.AWSAccount).Spec
	case *v1alpha1.SessionDocument:
		to.Spec = from.(*v1alpha1.SessionDocument).Spec
	case *v1alpha1.AccountTier:
		to.Spec = from.(*v1alpha1.AccountTier).Spec
	case *v1alpha1.HybridActivation:
		to.Spec = from.(*v1alpha1.HybridActivation).Spec
	case *v1alpha1.SessionAccess:
		to.Spec = from.(*v1alpha1.SessionAccess).Spec
	}
}
