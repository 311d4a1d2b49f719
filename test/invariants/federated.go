package invariants

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// skew is how far the clocks of AWS and the operator may be apart, as docs/concepts.md
// says: a session that began so much before a grant counts as begun after it.
const skew = 5 * time.Minute

// federated is an open session of a federated token. Its owner names no IAM user, so
// every grant to a user or a group that reaches the node concerns it. It was opened
// with other permissions, because no grant opens it.
type federated struct {
	owner    string
	node     Node
	document string
	started  time.Time
	// reaching are the declarations for users and groups that reach the node, as they
	// were when they first did.
	reaching map[client.ObjectKey]v1alpha1.SessionAccessSpec
	// by are those of them that were active for node and document when it was opened,
	// as long as they are unchanged.
	by map[client.ObjectKey]bool
	// owned: there was one.
	owned bool
	// older: none of them has reached the node within skew of its beginning or before.
	older bool
	// kept: none of them was lost or changed.
	kept bool
	// lost: one of by was withdrawn.
	lost bool
	// over: it was seen ended.
	over bool
}

// String names the owner and the node.
func (f *federated) String() string {
	return fmt.Sprintf("the session of %s on %s", f.owner, f.node.ID)
}

// OpenFederated opens a session of a federated token, under a name that its holder
// chose, on one of the nodes: the n-th, counted on from the first where there are
// fewer. It must be at rest.
func (o *Observer) OpenFederated(name string, n int, document string) error {
	f := o.newFederated(name, n, document)
	id, err := o.server.OpenSession(f.owner, o.domain.Region, f.node.ID, document)
	if err != nil {
		return fmt.Errorf("open %s: %w", f, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tokens[id] = f
	o.keepFederated()
	return nil
}

func (o *Observer) newFederated(name string, n int, document string) *federated {
	o.mu.Lock()
	defer o.mu.Unlock()
	places := o.places()
	f := &federated{
		owner: "arn:aws:sts::" + o.domain.AccountID + ":federated-user/" + name, node: places[n%len(places)], document: document, started: o.server.Now(),
		reaching: map[client.ObjectKey]v1alpha1.SessionAccessSpec{}, by: map[client.ObjectKey]bool{}, kept: true,
	}
	f.older = !slices.ContainsFunc(o.all, f.reached)
	for key, d := range o.declared {
		if slices.ContainsFunc(o.facts.grants(d, o.server.Now()), f.opens) {
			f.by[key], f.owned = true, true
		}
	}
	return f
}

// opens reports whether a grant was active at rest, and is now, for the node
// and the document.
func (f *federated) opens(g Grant) bool {
	return g.Certain && g.Rested && f.reached(g) && all(g.Specs, func(s *v1alpha1.SessionAccessSpec) bool {
		return between(s, f.started, -margin) && slices.Contains(documentsOf(s), f.document)
	})
}

// reached reports whether a grant is for users or groups and reaches the node, at
// whatever time.
func (f *federated) reached(g Grant) bool {
	return all(g.Specs, func(s *v1alpha1.SessionAccessSpec) bool {
		return slices.ContainsFunc(s.Principals, ofUsers) && slices.ContainsFunc(s.Targets, func(t v1alpha1.Target) bool { return includes(t, f.node) })
	})
}

func ofUsers(p v1alpha1.Principal) bool {
	return p.Kind == v1alpha1.PrincipalUser || p.Kind == v1alpha1.PrincipalGroup
}

// keepFederated notes what changes for the sessions of federated tokens. The lock is
// held.
func (o *Observer) keepFederated() {
	for _, f := range o.tokens {
		if slices.ContainsFunc(o.all, f.reached) && !o.server.Now().After(f.started.Add(skew+margin)) {
			f.older = false
		}
		for key, d := range o.declared {
			o.keepBy(f, key, d)
		}
		for key := range f.reaching {
			if o.declared[key] == nil {
				f.kept, f.lost = false, f.lost || f.by[key]
				delete(f.by, key)
			}
		}
	}
}

// keepBy notes what a declaration is to the session of a federated token.
func (o *Observer) keepBy(f *federated, key client.ObjectKey, d *declaration) {
	resolved, _, _ := o.facts.resolve(d)
	before, known := f.reaching[key]
	grants := o.facts.grants(d, o.server.Now())
	reached := slices.ContainsFunc(grants, f.reached)
	switch {
	case known && (!reached || !reflect.DeepEqual(before, *resolved)):
		f.kept = false
		delete(f.by, key)
	case reached && !known:
		f.reaching[key] = *resolved
	}
	if !reached {
		return
	}
	if end := resolved.NotAfter; end != nil {
		f.kept = f.kept && o.server.Now().Add(margin).Before(end.Time)
		f.lost = f.lost || f.by[key] && o.server.Now().After(end.Add(margin))
	}
	f.kept = f.kept && !slices.ContainsFunc(grants, func(g Grant) bool { return !g.Certain })
}

// judgeFederated checks that those sessions of federated tokens have ended that the
// revocation of a grant on their nodes ends, and no others. The lock is held.
func (o *Observer) judgeFederated() {
	o.keepFederated()
	present := o.present()
	for id, f := range o.tokens {
		over := o.over(id)
		unreached := !slices.ContainsFunc(present, f.reached)
		must := !f.older && !slices.ContainsFunc(o.ever, f.reached) && (f.lost || unreached && f.owned)
		switch {
		case !over && must:
			o.violated("%s is open, and a grant on the node was lost", f)
		case over && !f.over && f.older:
			o.violated("%s was ended, and began before every grant on the node", f)
		case over && !f.over && f.kept:
			o.violated("%s was ended, and no grant on the node was lost", f)
		}
		f.over = over
	}
}

// federatedMay reports whether a federated token of a person may open a session.
// No grant lets it.
func (o *Observer) federatedMay(state *iam.State, p Person, n Node, document string) bool {
	if p.As[0].Kind != v1alpha1.PrincipalUser {
		return false
	}
	o.questions++
	answer, err := o.server.MayIn(state, awsemulator.Question{
		Principal: p.ARN, Federated: "another", Target: n.ID, Document: document, Region: o.domain.Region, SourceIP: Inside,
	})
	if err != nil {
		o.violated("asking about a federated token of %s: %v", p.ARN, err)
	}
	return answer.Allowed
}

// neverFederated checks that no federated token of a person may open a session. The
// lock is held.
func (o *Observer) neverFederated(state *iam.State, p Person) {
	for _, n := range o.places() {
		for _, document := range o.papers() {
			if o.federatedMay(state, p, n, document) {
				o.violated("a federated token of %s may use %s with %s", p.ARN, n.ID, document)
			}
		}
	}
}

// Federated lists the sessions of federated tokens that are open.
func (o *Observer) Federated() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var open []string
	for id, f := range o.tokens {
		if !o.over(id) {
			open = append(open, f.String())
		}
	}
	slices.Sort(open)
	return open
}
