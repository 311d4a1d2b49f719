package cloud

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Mirror is the part of one account's IAM that the operator needs: all
// principals, the operator's policies, and their attachments. It answers from
// memory. Reads fill it (Refresh, Account.LookUp…) and every write of the
// operator goes through it. The package comment says which one counts when the
// two disagree. Safe for concurrent use.
type Mirror struct {
	ownership Ownership
	clock     clock.PassiveClock
	made      time.Time
	// drifted receives what reads found others to have changed. It may be nil.
	drifted func([]Drift)
	// client returns the client for the bulk read, verified to be of the account.
	client func(context.Context) (bulkReader, error)
	// refreshing holds a token while a Refresh is in progress.
	refreshing chan struct{}

	mu sync.RWMutex
	// readAt is when the newest Refresh began that is merged; never before.
	readAt instant
	// policyARNs is the prefix of the policies' ARNs; "" before it is known.
	policyARNs string
	// policies of the operator by lower-case name, recently deleted ones
	// included.
	policies    map[string]*policy
	policyNames sortedKeys
	// attached are the keys of the operator's policies by the key of the
	// principal.
	attached map[string][]string
	// principals by Key; userNames are the lower-case names of users.
	principals map[string]*principal
	userNames  sortedKeys
	// absences are when the point reads began that found no principal, by Key: those
	// that are younger than the last Refresh.
	absences map[string]instant
	// members are the names of users by the lower-case name of the group, and
	// formerMembers by the unique id of one that is gone.
	members, formerMembers map[string][]string
	// foreignPolicies is the number of customer managed policies of others.
	foreignPolicies int
	// misplaced are the ARNs of policies with a name of the operator's form
	// outside its path, by lower-case name.
	misplaced map[string]string
}

// principal is one principal as the mirror holds it.
type principal struct {
	// id is IAM's unique id, such as AIDA…; "" where a read did not give one.
	id                   string
	name, path, boundary string
	groups               []string
	foreignAttachments   int
	foreignOwners        []ForeignPolicy
	read                 instant
	// complete is false when a point read alone found it.
	complete bool
}

// ForeignPolicy is a policy that another owner's operator made.
type ForeignPolicy struct{ OwnerID, Name, ARN string }

func newMirror(ownership Ownership, clock clock.PassiveClock, client func(context.Context) (bulkReader, error)) *Mirror {
	return &Mirror{
		ownership:  ownership,
		clock:      clock,
		made:       clock.Now(),
		client:     client,
		refreshing: make(chan struct{}, 1),
		policies:   map[string]*policy{},
		attached:   map[string][]string{},
		principals: map[string]*principal{},
		absences:   map[string]instant{},

		formerMembers: map[string][]string{},
	}
}

func (m *Mirror) now() instant { return start.plus(m.clock.Since(m.made)) }

func (m *Mirror) timeOf(i instant) time.Time { return m.made.Add(time.Duration(i - start)) }

// setARNs sets the prefix of the account's policy ARNs, once STS has returned
// the identity.
func (m *Mirror) setARNs(id Identity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.policyARNs = "arn:" + id.Partition + ":iam::" + id.AccountID + ":policy"
}

func (m *Mirror) policyARNPrefix() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.policyARNs
}

// arn of one of the operator's policies; "" while the partition is unknown.
func (m *Mirror) arn(name string) string {
	if m.policyARNs == "" {
		return ""
	}
	return m.policyARNs + m.ownership.Path() + name
}

// ARN of the operator's policy with that name; "" until STS has returned the
// account's partition.
func (m *Mirror) ARN(name string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.arn(name)
}

// misplacedARN is the ARN of the policy of that name outside the operator's
// path; "" when the last Refresh saw none.
func (m *Mirror) misplacedARN(name string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.misplaced[nameKey(name)]
}

// record changes the entry of a policy, which is made when there is none.
func (m *Mirror) record(name string, change func(*policy)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := nameKey(name)
	p := m.policies[key]
	if p == nil {
		p = m.unknownPolicy(name)
		m.policies[key] = p
		m.policyNames.insert(key)
	}
	before := p.attachedTo()
	change(p)
	m.reindex(key, before, p.attachedTo())
}

// read merges what a point read found of a policy, nil when there is none.
func (m *Mirror) read(name string, seen *observed, r reading) {
	var found findings
	m.record(name, func(p *policy) { found = p.take(seen, r) })
	m.drift(found.drifts)
}

// drift passes on what a read found others to have changed. Every read does: what
// the mirror once took over, no later read finds.
func (m *Mirror) drift(drifts []Drift) {
	if m.drifted != nil && len(drifts) > 0 {
		m.drifted(drifts)
	}
}

// unknownPolicy is the entry of a policy that no read or write has shown yet.
func (m *Mirror) unknownPolicy(name string) *policy {
	unseen := evidence{read: m.readAt}
	p := &policy{name: name, existence: unseen, content: unseen, others: unseen}
	if m.readAt != never {
		p.presence = Absent
	}
	return p
}

// reindex brings the index from principals to policies up to date.
func (m *Mirror) reindex(policyKey string, before, after []Principal) {
	for _, principal := range before {
		if slices.ContainsFunc(after, principal.same) {
			continue
		}
		key := principal.Key()
		left := slices.DeleteFunc(m.attached[key], func(k string) bool { return k == policyKey })
		if len(left) == 0 {
			delete(m.attached, key)
			continue
		}
		m.attached[key] = left
	}
	for _, principal := range after {
		if key := principal.Key(); !slices.Contains(m.attached[key], policyKey) {
			m.attached[key] = append(m.attached[key], policyKey)
		}
	}
}

// peek returns a copy of a policy's entry as it is now.
func (m *Mirror) peek(name string) policy {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p := m.policies[nameKey(name)]
	if p == nil {
		return *m.unknownPolicy(name)
	}
	copied := *p
	copied.attachments = slices.Clone(p.attachments)
	return copied
}

// foundPrincipal takes over a point read; found is nil when there is none.
func (m *Mirror) foundPrincipal(p Principal, found *principal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := p.Key()
	if found == nil {
		delete(m.principals, key)
		if p.Kind == User {
			m.userNames.remove(nameKey(p.Name))
		}
		return
	}
	if known := m.principals[key]; known != nil && (known.id == found.id || found.id == "") {
		known.name, known.path, known.boundary = found.name, found.path, found.boundary
		known.read = max(known.read, found.read)
		return
	}
	m.principals[key] = found
	if p.Kind == User {
		m.userNames.insert(nameKey(p.Name))
	}
}
