package invariants

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// undecided is what the model expects of an access that refers to something
// whose result it does not know.
const undecided = ""

// thing is what references may name: a SessionDocument or a HybridActivation.
type thing struct {
	object client.Object
	// as is the name of the document in AWS, or distinguishes an activation from
	// earlier ones of the same name.
	as string
	// declared is false once it was deleted, and lives counts its creations.
	declared bool
	lives    int
}

// certain reports whether a thing must be ready at rest.
func (f Facts) certain(x *thing) bool {
	switch obj := x.object.(type) {
	case *v1alpha1.SessionDocument:
		return f.sound(obj)
	case *v1alpha1.HybridActivation:
		return f.activates(obj)
	}
	return false
}

func thingKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// resolve replaces the principals and references of a spec by what they mean, and adds
// what guardrails require of nodes. missing: the spec names something that does not
// exist. doubtful: it names something whose state is not known. Something that once
// existed still has its name, for which no person may have more than before.
func (f Facts) resolve(d *declaration) (s *v1alpha1.SessionAccessSpec, missing, doubtful bool) {
	s = d.spec.DeepCopy()
	f.identify(s, d.bond)
	namespace := d.key.Namespace
	mean := func(kind, name string) string {
		x := f.Things[thingKey(kind, namespace, name)]
		switch {
		case x == nil:
			missing = true
			return ""
		case !x.declared:
			missing = true
		case !f.certain(x):
			doubtful = true
		}
		return x.as
	}
	for i := range s.Documents {
		if ref := s.Documents[i].Ref; ref != nil {
			s.Documents[i].Name = mean("SessionDocument", ref.Name)
		}
	}
	for i := range s.Targets {
		t := &s.Targets[i]
		if t.ActivationRef != nil {
			t.ActivationRef.Name = mean("HybridActivation", t.ActivationRef.Name)
		}
		for _, r := range f.rules(namespace) {
			t.Tags = joined(joined(t.Tags, r.RequiredTags), excludedTags(r.ExcludedNodes))
		}
	}
	return s, missing, doubtful
}

// joined returns the tags and those that are required as well.
func joined(tags, required map[string]string) map[string]string {
	all := map[string]string{}
	for _, some := range []map[string]string{required, tags} {
		maps.Copy(all, some)
	}
	return all
}

// reconsider takes in that something other than a declaration has changed.
func (f Facts) reconsider(d *declaration) {
	if !f.full(d) {
		d.rested = false
		return
	}
	resolved, _, _ := f.resolve(d) // It is full, so nothing is missing.
	if !slices.ContainsFunc(d.bases, func(base v1alpha1.SessionAccessSpec) bool { return reflect.DeepEqual(base, *resolved) }) {
		d.bases, d.rested = append(d.bases, *resolved), false
	}
}

// reconsider judges the declarations again, after something that they depend on
// has changed. The lock is held.
func (o *Observer) reconsider() {
	o.heirs()
	for _, d := range o.declared {
		o.facts.reconsider(d)
		o.took(d)
	}
	for _, x := range o.facts.Things {
		switch obj := x.object.(type) {
		case *v1alpha1.SessionDocument:
			if d := o.documents[obj.DocumentName()]; d != nil {
				d.maybe = !o.facts.certain(x)
			}
		case *v1alpha1.HybridActivation:
			if a := o.activations[obj.Spec.Description]; a != nil {
				a.maybe = !o.facts.certain(x)
				a.bounded = a.bounded || a.maybe
			}
		}
	}
}

// DeclareThing must be called before a SessionDocument or a HybridActivation is
// written. The function that it returns takes it back when the API server did not
// accept it.
func (o *Observer) DeclareThing(obj client.Object) (rejected func()) {
	key := thingKey(kindOf(obj), obj.GetNamespace(), obj.GetName())
	back := o.keepBack(obj)
	switch obj := obj.(type) {
	case *v1alpha1.SessionDocument:
		o.DeclareDocument(obj.DocumentName(), profileDeclared(obj))
	case *v1alpha1.HybridActivation:
		o.DeclareActivation(obj.Spec.Description, limitOf(obj))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	before, x := o.facts.Things[key], thing{}
	if before != nil {
		x = *before
	}
	if !x.declared {
		x.lives++
	}
	x.object, x.declared = obj.DeepCopyObject().(client.Object), true
	x.as = fmt.Sprintf("%s/%s#%d", obj.GetNamespace(), obj.GetName(), x.lives)
	if document, ok := obj.(*v1alpha1.SessionDocument); ok {
		x.as = document.DocumentName()
	}
	o.facts.Things[key] = &x
	o.reconsider()
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		back()
		if o.facts.Things[key] = before; before == nil {
			delete(o.facts.Things, key)
		}
		o.reconsider()
	}
}

// keepBack remembers what is known of a document or an activation, except what
// may have been in AWS. The lock is held when what it returns is called.
func (o *Observer) keepBack(obj client.Object) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch obj := obj.(type) {
	case *v1alpha1.SessionDocument:
		return restoring(o.documents, obj.DocumentName())
	case *v1alpha1.HybridActivation:
		return restoring(o.activations, obj.Spec.Description)
	}
	return func() {}
}

func restoring[T any](all map[string]*T, name string) func() {
	before := all[name]
	if before == nil {
		return func() { delete(all, name) }
	}
	copied := *before
	return func() { all[name] = &copied }
}

// WithdrawThing must be called when one was deleted.
func (o *Observer) WithdrawThing(obj client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.facts.Things[thingKey(kindOf(obj), obj.GetNamespace(), obj.GetName())]
	if x == nil || !x.declared {
		return
	}
	x.declared = false
	switch obj := x.object.(type) {
	case *v1alpha1.SessionDocument:
		d := o.documents[obj.DocumentName()]
		d.declared = false
	case *v1alpha1.HybridActivation:
		o.activations[obj.Spec.Description].declared = false
		if obj.NodeDeletionPolicy() != v1alpha1.NodesDeregister {
			o.leaveMachines(obj.Spec.Description)
		}
	}
	o.reconsider()
}

// LeaveThing leaves open what becomes of the document or the activation of an object that
// was deleted without a finalizer: it was restored, and the operator has not seen it since.
func (o *Observer) LeaveThing(obj client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.facts.Things[thingKey(kindOf(obj), obj.GetNamespace(), obj.GetName())]
	if x == nil {
		return
	}
	switch obj := x.object.(type) {
	case *v1alpha1.SessionDocument:
		o.documents[obj.DocumentName()].left = true
	case *v1alpha1.HybridActivation:
		o.activations[obj.Spec.Description].left = true
		o.leaveMachines(obj.Spec.Description)
	}
}

// leaveMachines keeps the machines of an activation when the activation is
// removed. The lock is held.
func (o *Observer) leaveMachines(description string) {
	for id, of := range o.registered {
		if of == description {
			o.places() // While it is known whose they are.
			delete(o.registered, id)
		}
	}
}

// places are the nodes of the domain and the machines that have registered. The
// lock is held.
func (o *Observer) places() []Node {
	for id, description := range o.registered {
		for _, x := range o.facts.Things {
			if a, ok := x.object.(*v1alpha1.HybridActivation); ok && a.Spec.Description == description && o.machines[id] == "" {
				o.machines[id] = x.as
			}
		}
	}
	all := slices.Clone(o.domain.Nodes)
	fleet := o.server.Account(o.domain.AccountID).Region(o.domain.Region).Fleet
	for id, of := range o.machines {
		if n, ok := fleet.Node(id); ok {
			all = append(all, Node{ID: id, Tags: n.Tags, Of: of})
		}
	}
	return all
}

// papers are the documents of the domain and those that were declared. The lock
// is held.
func (o *Observer) papers() []string {
	all := slices.Clone(o.domain.Documents)
	for _, x := range o.facts.Things {
		if d, ok := x.object.(*v1alpha1.SessionDocument); ok && !slices.Contains(all, d.DocumentName()) {
			all = append(all, d.DocumentName())
		}
	}
	return all
}

// DeclareAccount must be called before an AWSAccount is written.
func (o *Observer) DeclareAccount(s *v1alpha1.AWSAccountSpec) (rejected func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.facts
	o.facts.take(s.DeepCopy())
	if before.Grant && !o.facts.Grant {
		o.disinherit()
	}
	o.reconsider()
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.facts = before
		o.reconsider()
	}
}

// profileDeclared is the shell profile for Linux that a SessionDocument declares.
func profileDeclared(d *v1alpha1.SessionDocument) string {
	if d.Spec.Inputs == nil || d.Spec.Inputs.ShellProfile == nil {
		return ""
	}
	return d.Spec.Inputs.ShellProfile.Linux
}

// doubts reports whether the model does not know the result of an object.
func (o *Observer) doubts(obj client.Object) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch obj := obj.(type) {
	case *v1alpha1.SessionAccess:
		d := o.declared[client.ObjectKeyFromObject(obj)]
		if d == nil {
			return false
		}
		reason := o.facts.expect(d, o.server.Now())
		return reason == undecided || o.facts.Observe && reason != v1alpha1.ReasonReferenceNotResolved
	case *v1alpha1.AccountTier:
		return o.facts.Observe || o.tierHeld()
	case *v1alpha1.AWSAccount:
		return false
	default:
		x := o.facts.Things[thingKey(kindOf(obj), obj.GetNamespace(), obj.GetName())]
		return x != nil && !o.facts.certain(x)
	}
}

// Observes reports whether the account is in mode Observe.
func (o *Observer) Observes() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.facts.Observe
}

// Registrable reports whether a machine can register with a HybridActivation at rest,
// and none has.
func (o *Observer) Registrable(a *v1alpha1.HybridActivation) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.facts.Things[thingKey(kindOf(a), a.Namespace, a.Name)]
	if x == nil || !x.declared || !o.facts.certain(x) {
		return false
	}
	for _, description := range o.registered {
		if description == a.Spec.Description {
			return false
		}
	}
	return true
}
