package invariants

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// window is longer than IAM's consistency window. The clock jumps over it.
	window = awsclient.ConsistencyWindow + 2*time.Second
	// resync is shorter than the window, so that a jump makes one due.
	resync = awsclient.ConsistencyWindow / 2
)

// Harness is a cluster and an emulated AWS with an observer, on which declarations
// are made.
type Harness struct {
	*testenv.Env
	Observer *Observer
	Domain   Domain
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

	watcher *ClusterWatcher
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

// NewHarness makes a harness, with an account that allows Namespace and Neighbour,
// and whose guardrail lets them name users alone whose names begin as expected. It has no manager.
func NewHarness(ctx context.Context, cluster *testenv.Cluster, watcher *ClusterWatcher) (*Harness, error) {
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
	h := &Harness{Env: env, Domain: u, watcher: watcher, written: map[string]written{}, secrets: map[string]client.ObjectKey{}, Observer: NewObserver(env.Emulator, u, facts, testenv.DefaultOwner)}
	watcher.showTo(h.Observer.Search)
	for name, label := range map[string]string{Namespace: "allowed", Neighbour: "allowed", OtherNamespace: "other"} {
		if err := env.Namespace(ctx, name, map[string]string{"proof": label}); err != nil {
			return nil, fmt.Errorf("%w; %w", err, env.Close())
		}
	}
	return h, nil
}

// Account is the AWSAccount of the harness.
func (h *Harness) Account() *v1alpha1.AWSAccount {
	named := func(kind v1alpha1.PrincipalKind, pattern string) v1alpha1.PrincipalPattern {
		return v1alpha1.PrincipalPattern{Kind: kind, Name: v1alpha1.NamePattern(pattern)}
	}
	return &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: AccountName},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: h.Domain.AccountID, Regions: []v1alpha1.Region{v1alpha1.Region(h.Domain.Region)},
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

// Tier is the AccountTier of the harness.
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
			Description: namespace + "/" + name, NodeDeletionPolicy: v1alpha1.NodesDeregister,
		},
	}
}

// Apply creates an object, or updates the spec of the existing one. accepted is
// false where the API server refuses what is declared.
func (h *Harness) Apply(ctx context.Context, obj client.Object) (accepted bool, err error) {
	rejected, wanted := h.declare(obj), obj.DeepCopyObject().(client.Object)
	err = h.apply(ctx, obj)
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		rejected()
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("declare %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	if a, ok := wanted.(*v1alpha1.HybridActivation); ok {
		h.secrets[a.Spec.Description] = client.ObjectKeyFromObject(a)
		if a.Spec.SecretName != "" {
			h.secrets[a.Spec.Description] = client.ObjectKey{Namespace: a.Namespace, Name: a.Spec.SecretName}
		}
	}
	former := h.written[h.id(obj)]
	h.written[h.id(obj)] = written{
		uid: obj.GetUID(), generation: obj.GetGeneration(), object: wanted,
		restored: former.restored && former.uid == obj.GetUID(),
	}
	h.loosen()
	return true, nil
}

// declare adds an object to the model. The function that it returns removes it.
func (h *Harness) declare(obj client.Object) (rejected func()) {
	switch obj := obj.(type) {
	case *v1alpha1.SessionAccess:
		return h.Observer.Declare(client.ObjectKeyFromObject(obj), obj.Spec)
	case *v1alpha1.AccountTier:
		return h.Observer.DeclareTier(obj)
	case *v1alpha1.AWSAccount:
		return h.Observer.DeclareAccount(&obj.Spec)
	default:
		return h.Observer.DeclareThing(obj)
	}
}

// loosen accepts any decision for the objects whose result the model does not
// know.
func (h *Harness) loosen() {
	for id, w := range h.written {
		if w.object != nil {
			w.loose = h.Observer.doubts(w.object)
			h.written[id] = w
		}
	}
}

// apply writes an object, and leaves in it what the API server made of it.
func (h *Harness) apply(ctx context.Context, obj client.Object) error {
	wanted := obj.DeepCopyObject().(client.Object)
	err := h.watcher.client.Create(ctx, obj)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	present := wanted.DeepCopyObject().(client.Object)
	if err := h.watcher.client.Get(ctx, client.ObjectKeyFromObject(wanted), present); err != nil {
		return err
	}
	before := present.DeepCopyObject().(client.Object)
	setSpec(present, wanted)
	if err := h.watcher.client.Patch(ctx, present, client.MergeFrom(before)); err != nil {
		return err
	}
	obj.SetUID(present.GetUID())
	obj.SetGeneration(present.GetGeneration())
	return nil
}

// Delete deletes an object; it is no error if there is none.
func (h *Harness) Delete(ctx context.Context, obj client.Object) error {
	atOnce, err := h.remove(ctx, obj)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", obj, client.ObjectKeyFromObject(obj), err)
	}
	if w, ok := h.written[h.id(obj)]; ok {
		w.deleted = true
		h.written[h.id(obj)] = w
	}
	switch obj := obj.(type) {
	case *v1alpha1.SessionAccess:
		h.Observer.Withdraw(client.ObjectKeyFromObject(obj))
	case *v1alpha1.SessionDocument, *v1alpha1.HybridActivation:
		if h.Observer.WithdrawThing(obj); atOnce && h.written[h.id(obj)].restored {
			h.Observer.LeaveThing(obj)
		}
	case *v1alpha1.AccountTier:
		if declared, ok := h.written[h.id(obj)].object.(*v1alpha1.AccountTier); ok {
			h.Observer.WithdrawTier(declared.DeletionPolicy())
		}
	}
	h.loosen()
	return nil
}

// remove deletes an object. atOnce reports whether it had no finalizer.
func (h *Harness) remove(ctx context.Context, obj client.Object) (atOnce bool, err error) {
	for {
		stored := obj.DeepCopyObject().(client.Object)
		if err := h.watcher.client.Get(ctx, client.ObjectKeyFromObject(obj), stored); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		version := stored.GetResourceVersion()
		err := h.watcher.client.Delete(ctx, stored, client.Preconditions{ResourceVersion: &version})
		if !apierrors.IsConflict(err) {
			return len(stored.GetFinalizers()) == 0, client.IgnoreNotFound(err)
		}
	}
}

// Accesses are the SessionAccesses that are declared, by name.
func (h *Harness) Accesses() []*v1alpha1.SessionAccess {
	var all []*v1alpha1.SessionAccess
	for _, key := range slices.Sorted(maps.Keys(h.written)) {
		if access, ok := h.written[key].object.(*v1alpha1.SessionAccess); ok && !h.written[key].deleted {
			all = append(all, access.DeepCopy())
		}
	}
	return all
}

// Knows reports whether an object of that kind and name is declared, or is being
// deleted.
func (h *Harness) Knows(obj client.Object) bool {
	_, ok := h.written[h.id(obj)]
	return ok
}

// Leaving reports whether an object of that kind and name is being deleted.
func (h *Harness) Leaving(obj client.Object) bool { return h.written[h.id(obj)].deleted }

func (h *Harness) id(obj client.Object) string {
	return kindOf(obj) + "/" + client.ObjectKeyFromObject(obj).String()
}

func kindOf(obj client.Object) string {
	if own, ok := obj.(v1alpha1.Object); ok {
		return v1alpha1.KindOf(own)
	}
	return obj.GetObjectKind().GroupVersionKind().Kind
}

func setSpec(to, from client.Object) {
	if _, ok := to.(v1alpha1.Object); ok {
		reflect.ValueOf(to).Elem().FieldByName("Spec").Set(reflect.ValueOf(from).Elem().FieldByName("Spec"))
	}
}
