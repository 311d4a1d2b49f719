package invariants

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// Observer watches an emulated AWS and knows what has been declared. It is safe
// for concurrent use.
type Observer struct {
	server *awsemulator.Server
	domain Domain
	owner  string

	mu       sync.Mutex
	facts    Facts
	declared map[client.ObjectKey]*declaration
	// since are all grants since the last rest, those in effect included.
	since []Grant
	// ever are the grants that leave sessions open when they end.
	ever []Grant
	// all are the grants that there have been.
	all      []Grant
	sessions map[string]*session
	// tokens are the sessions of federated tokens.
	tokens  map[string]*federated
	foreign string
	// meddling: an administrator is changing IAM.
	meddling bool
	// first are the people that there were at first.
	first []Person

	// What is declared of documents by their names in AWS, and of the tier.
	documents   map[string]*document
	foreignDocs string
	tier        string
	// tierBefore is the tier to restore; empty where none is declared.
	tierBefore string
	// written counts the writes to AWS at the first rest in mode Observe; -1 otherwise.
	written int
	// The same of activations, by their descriptions.
	activations map[string]*activation
	foreignActs string
	// registered are the machines that registered, and with whose activation.
	registered map[string]string
	// machines are all that ever have, and the activation by which access names them.
	machines map[string]string
	// codes of all activations that there have been; searched counts the texts
	// that were looked through for them.
	codes    map[string]bool
	searched int
	// managers is how many lead at once.
	managers int
	// longest is for how long more than two activations of an object were alive.
	longest time.Duration

	// states counts the states of IAM that were judged, questions what was asked.
	states, questions int
	broken            []string
}

// NewObserver begins to watch. owner is the id of the operator's installation.
func NewObserver(server *awsemulator.Server, u Domain, f Facts, owner string) *Observer {
	o := &Observer{
		server: server, domain: u, owner: owner, facts: f,
		declared: map[client.ObjectKey]*declaration{}, sessions: map[string]*session{}, tokens: map[string]*federated{},
		documents: map[string]*document{}, activations: map[string]*activation{}, codes: map[string]bool{},
		registered: map[string]string{}, machines: map[string]string{}, managers: 1, written: -1,
	}
	o.first, o.domain.People = slices.Clone(u.People), slices.Clone(u.People)
	o.facts.Things, o.facts.IDs = map[string]*thing{}, &identities{}
	for _, p := range f.Exist {
		if o.facts.IDs.named(p.Kind, p.Name) == nil {
			o.facts.IDs.add(p.Kind, p.Name)
		}
	}
	o.tier, o.foreignDocs, o.foreignActs = o.ssm().Tier(), o.foreignDocuments(), o.foreignActivations()
	o.foreign = o.foreignTo(server.Account(u.AccountID).IAM.Latest())
	server.Observe(o.changed)
	return o
}

// Declare must be called before a declaration is written. The function that it
// returns takes it back when the API server did not accept it.
func (o *Observer) Declare(key client.ObjectKey, spec v1alpha1.SessionAccessSpec) (rejected func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var before *declaration
	if d := o.declared[key]; d != nil {
		copied := *d
		copied.bases, copied.bond = slices.Clone(d.bases), d.bond.clone()
		before = &copied
	}
	since, ever, all := len(o.since), len(o.ever), len(o.all)
	if before == nil {
		o.declared[key] = &declaration{key: key, bond: newBond()}
	}
	o.facts.declare(o.declared[key], *spec.DeepCopy())
	o.took(o.declared[key])
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.since, o.ever, o.all = o.since[:since], o.ever[:ever], o.all[:all]
		if before == nil {
			delete(o.declared, key)
			return
		}
		o.declared[key] = before
	}
}

// Withdraw must be called when a declaration was deleted.
func (o *Observer) Withdraw(key client.ObjectKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.declared, key)
	o.keepSessions()
}

// took notes what is newly declared. The lock is held.
func (o *Observer) took(d *declaration) {
	for _, g := range o.facts.grants(d, o.server.Now()) {
		o.since, o.all = append(o.since, g), append(o.all, toWhomever(g, d.spec.Principals))
		if g.leaves() {
			o.ever = append(o.ever, g)
		}
	}
	o.keepSessions()
}

// toWhomever is a grant that also names those of its principals that do not exist.
func toWhomever(g Grant, principals []v1alpha1.Principal) Grant {
	g.Specs = slices.Clone(g.Specs)
	for i := range g.Specs {
		g.Specs[i].Principals = principals
	}
	return g
}

// present are the grants that are declared now. The lock is held.
func (o *Observer) present() []Grant {
	var grants []Grant
	for _, d := range o.declared {
		grants = append(grants, o.facts.grants(d, o.server.Now())...)
	}
	return grants
}

// rested forgets all that is not declared any more. The lock is held.
func (o *Observer) rested() {
	if o.facts.Observe {
		return // Whatever is in AWS stays there.
	}
	for _, d := range o.declared {
		o.facts.rest(d, o.server.Now())
	}
	o.since = o.present()
}

// changed judges a state of AWS.
func (o *Observer) changed(c awsemulator.Change) {
	if c.AccountID != o.domain.AccountID {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.IAM == nil {
		o.changedDocuments()
		o.changedActivations()
		return
	}
	if o.meddling {
		o.foreign = o.foreignTo(c.IAM)
	}
	o.judgeState(c.IAM)
}

// judgeState judges a state of IAM. The lock is held.
func (o *Observer) judgeState(state *iam.State) {
	o.states++
	if foreign := o.foreignTo(state); foreign != o.foreign {
		o.violated("something of others was changed: it was\n%s\nand is\n%s", o.foreign, foreign)
	}
	for _, q := range o.ask() {
		if o.may(state, q) && !allowed(o.since, q, margin) {
			o.violated("%s may use %s with %s (MFA %t, from %s), which nobody has declared since the last rest", q.Person.ARN, q.Node.ID, q.Document, q.MFA, q.From)
		}
	}
	for _, p := range o.domain.People {
		if _, ok := state.EntityByARN(p.ARN); ok {
			o.never(state, p)
			o.neverFederated(state, p)
		}
	}
}

// ask are all questions of the domain.
func (o *Observer) ask() []Question {
	var questions []Question
	places, papers := o.places(), o.papers()
	for _, p := range o.domain.People {
		for _, n := range places {
			for _, d := range papers {
				for _, q := range []Question{{MFA: true, From: Inside}, {MFA: false, From: Inside}, {MFA: true, From: Outside}} {
					q.Person, q.Node, q.Document, q.At = p, n, d, o.server.Now()
					questions = append(questions, q)
				}
			}
		}
	}
	return questions
}

// may asks the emulator, which evaluates the policies.
func (o *Observer) may(state *iam.State, q Question) bool {
	if _, ok := state.EntityByARN(q.Person.ARN); !ok {
		return false // Who is not there any more, or not yet, may do nothing.
	}
	o.questions++
	answer, err := o.server.MayIn(state, awsemulator.Question{
		Principal: q.Person.ARN, Target: q.Node.ID, Document: q.Document, Region: o.domain.Region, SourceIP: q.From, MFA: &q.MFA,
	})
	if err != nil {
		o.violated("asking about %s: %v", q.Person.ARN, err)
	}
	return answer.Allowed
}

// never checks that no person was given any other permission.
func (o *Observer) never(state *iam.State, p Person) {
	for _, action := range []string{"ssm:SendCommand", "ssm:CreateActivation", "iam:CreatePolicyVersion", "iam:AttachUserPolicy", "sts:AssumeRole", "secretsmanager:GetSecretValue"} {
		answer, err := o.server.MayIn(state, awsemulator.Question{Principal: p.ARN, Action: action, Region: o.domain.Region, MFA: new(true), SourceIP: Inside})
		if o.questions++; err != nil || answer.Allowed {
			o.violated("%s may call %s (%v)", p.ARN, action, err)
		}
	}
}

// violated notes a broken invariant. The lock is held.
func (o *Observer) violated(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(o.broken, text) {
		o.broken = append(o.broken, text)
	}
}

// Counts returns how many states of IAM were judged, and how many questions
// asked.
func (o *Observer) Counts() (states, questions int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.states, o.questions
}

// expects is the reason that a declaration's Ready should have at rest; empty
// for one that is not declared.
func (o *Observer) expects(key client.ObjectKey, at time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.declared[key]
	if d == nil {
		return ""
	}
	return o.facts.expect(d, at)
}
