package iam

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// Cache is the part of one account's IAM that the operator needs: all
// principals, the operator's policies, and their attachments. It answers from
// memory. Reads fill it (Refresh, Account.LookUp…) and every write of the
// operator goes through it. The package comment says which one counts when the
// two disagree. Safe for concurrent use.
type Cache struct {
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
	readAt monotonicTime
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
	absences map[string]monotonicTime
	// members are the names of users by the lower-case name of the group, and
	// formerMembers by the unique id of one that is gone.
	members, formerMembers map[string][]string
	// left are the groups that a user has left, and when that was read: by the
	// lower-case names of the user and the group.
	left map[string]map[string]monotonicTime
	// foreignPolicies is the number of customer managed policies of others.
	foreignPolicies int
	// misplaced are the ARNs of policies with a name of the operator's form
	// outside its path, by lower-case name.
	misplaced map[string]string
}

// principal is one principal as the cache holds it.
type principal struct {
	// id is IAM's unique id, such as AIDA…; "" where a read did not give one.
	id                   string
	name, path, boundary string
	groups               []string
	foreignAttachments   int
	foreignOwners        []ForeignPolicy
	read                 monotonicTime
	// complete is false when a point read alone found it.
	complete bool
}

// ForeignPolicy is a policy that another owner's operator made.
type ForeignPolicy struct{ OwnerID, Name, ARN string }

func newCache(ownership Ownership, clock clock.PassiveClock, client func(context.Context) (bulkReader, error)) *Cache {
	return &Cache{
		ownership:  ownership,
		clock:      clock,
		made:       clock.Now(),
		client:     client,
		refreshing: make(chan struct{}, 1),
		policies:   map[string]*policy{},
		attached:   map[string][]string{},
		principals: map[string]*principal{},
		absences:   map[string]monotonicTime{},

		formerMembers: map[string][]string{},
		left:          map[string]map[string]monotonicTime{},
	}
}

func (c *Cache) now() monotonicTime { return start.plus(c.clock.Since(c.made)) }

func (c *Cache) timeOf(i monotonicTime) time.Time { return c.made.Add(time.Duration(i - start)) }

// setARNs sets the prefix of the account's policy ARNs, once STS has returned
// the identity.
func (c *Cache) setARNs(id awsclient.Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policyARNs = "arn:" + id.Partition + ":iam::" + id.AccountID + ":policy"
}

func (c *Cache) policyARNPrefix() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.policyARNs
}

// arn of one of the operator's policies; "" while the partition is unknown.
func (c *Cache) arn(name string) string {
	if c.policyARNs == "" {
		return ""
	}
	return c.policyARNs + c.ownership.Path() + name
}

// ARN of the operator's policy with that name; "" until STS has returned the
// account's partition.
func (c *Cache) ARN(name string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.arn(name)
}

// misplacedARN is the ARN of the policy of that name outside the operator's
// path; "" when the last Refresh saw none.
func (c *Cache) misplacedARN(name string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.misplaced[nameKey(name)]
}

// record changes the entry of a policy, which is made when there is none.
func (c *Cache) record(name string, change func(*policy)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := nameKey(name)
	p := c.policies[key]
	if p == nil {
		p = c.unknownPolicy(name)
		c.policies[key] = p
		c.policyNames.insert(key)
	}
	before := p.attachedTo()
	change(p)
	c.reindex(key, before, p.attachedTo())
}

// read merges what a point read found of a policy, nil when there is none.
func (c *Cache) read(name string, seen *observed, r reading) {
	var found findings
	c.record(name, func(p *policy) { found = p.take(seen, r) })
	c.drift(found.drifts)
}

// drift passes on what a read found others to have changed. Every read does: what
// the cache once took over, no later read finds.
func (c *Cache) drift(drifts []Drift) {
	if c.drifted != nil && len(drifts) > 0 {
		c.drifted(drifts)
	}
}

// unknownPolicy is the entry of a policy that no read or write has shown yet.
func (c *Cache) unknownPolicy(name string) *policy {
	unseen := consistency{read: c.readAt}
	p := &policy{name: name, existence: unseen, content: unseen, others: unseen}
	if c.readAt != never {
		p.presence = Absent
	}
	return p
}

// reindex brings the index from principals to policies up to date.
func (c *Cache) reindex(policyKey string, before, after []Principal) {
	for _, principal := range before {
		if slices.ContainsFunc(after, principal.same) {
			continue
		}
		key := principal.Key()
		left := slices.DeleteFunc(c.attached[key], func(k string) bool { return k == policyKey })
		if len(left) == 0 {
			delete(c.attached, key)
			continue
		}
		c.attached[key] = left
	}
	for _, principal := range after {
		if key := principal.Key(); !slices.Contains(c.attached[key], policyKey) {
			c.attached[key] = append(c.attached[key], policyKey)
		}
	}
}

// peek returns a copy of a policy's entry as it is now.
func (c *Cache) peek(name string) policy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.policies[nameKey(name)]
	if p == nil {
		return *c.unknownPolicy(name)
	}
	copied := *p
	copied.attachments = slices.Clone(p.attachments)
	return copied
}

// foundPrincipal takes over a point read; found is nil when there is none.
func (c *Cache) foundPrincipal(p Principal, found *principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := p.Key()
	if found == nil {
		delete(c.principals, key)
		if p.Kind == User {
			c.userNames.remove(nameKey(p.Name))
		}
		return
	}
	if known := c.principals[key]; known != nil && (known.id == found.id || found.id == "") {
		known.name, known.path, known.boundary = found.name, found.path, found.boundary
		known.read = max(known.read, found.read)
		return
	}
	c.principals[key] = found
	if p.Kind == User {
		c.userNames.insert(nameKey(p.Name))
	}
}

// sortedKeys is a set of lower-case names in order, for search by prefix.
type sortedKeys []string

func (s *sortedKeys) insert(key string) {
	if at, found := slices.BinarySearch(*s, key); !found {
		*s = slices.Insert(*s, at, key)
	}
}

func (s *sortedKeys) remove(key string) {
	if at, found := slices.BinarySearch(*s, key); found {
		*s = slices.Delete(*s, at, at+1)
	}
}

// withPrefix are the keys that begin with prefix. The slice is the set's own:
// it holds until the next insert or remove.
func (s sortedKeys) withPrefix(prefix string) []string {
	from, _ := slices.BinarySearch(s, prefix)
	to := from
	for to < len(s) && strings.HasPrefix(s[to], prefix) {
		to++
	}
	return s[from:to]
}
