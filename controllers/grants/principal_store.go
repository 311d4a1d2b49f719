package grants

import (
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Observation is what a principal's reconcile saw of one record, and what became of it.
type Observation struct {
	// Holder is the object that has the record.
	Holder Holder
	// Serial of the record.
	Serial int64
	// Deleting: the operator revokes everything on record.
	Deleting bool
	// Included: its grant was part of what the policies were compiled from.
	Included bool
	// Superseded: its grant is kept out because it must not stand beside an older one,
	// or because the principal that it was made for disappeared.
	Superseded bool
	// PrincipalID is IAM's unique id of the principal that was found, "" for none.
	PrincipalID string
	// State of the principal as far as this object goes.
	State v1alpha1.PrincipalState
	// Reason and Message are set where State is not Granted. Message may also add
	// to a Granted: what a permission set references, or what caps the access.
	Reason, Message string
	// Notices are what people should know although the access is in place.
	Notices Notices
}

// Notices are sentences; an empty one means that there is nothing to say.
type Notices struct {
	// EffectiveAccessBroader: what IAM allows beyond the grants, because it cannot tie a node to
	// a document.
	EffectiveAccessBroader string
	// SessionPrefixOverlap: whose sessions the principal may end by its name's prefix.
	SessionPrefixOverlap string
	// GrantedElsewhere: which policies of other installations are attached.
	GrantedElsewhere string
}

// Outcome is the end of one reconcile of one principal.
type Outcome struct {
	// Narrowed: what is not included is gone from AWS, by acknowledged writes or
	// by a read that proves it. It may hold although something else failed.
	Narrowed bool
	// PolicyARNs are the policies that hold the principal's grants.
	PolicyARNs []string
	// Observed holds by the UID of its SessionAccess what was seen of every record that names
	// the principal.
	Observed map[types.UID]Observation
}

// PrincipalStore keeps the last outcome of every principal.
type PrincipalStore struct {
	notify func(...Holder)

	mu       sync.RWMutex
	outcomes map[PrincipalKey]Outcome
}

// NewPrincipalStore returns an empty store. notify is called with the holders that an
// outcome changes something for; it must not block.
func NewPrincipalStore(notify func(...Holder)) *PrincipalStore {
	return &PrincipalStore{notify: notify, outcomes: map[PrincipalKey]Outcome{}}
}

// Get returns the last outcome of a principal in this process.
func (s *PrincipalStore) Get(key PrincipalKey) (Outcome, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.outcomes[key]
	return o, ok
}

// Put records an outcome and notifies the holders that it changes something
// for. A principal that no record names any more is forgotten.
func (s *PrincipalStore) Put(key PrincipalKey, o Outcome) {
	s.mu.Lock()
	before, had := s.outcomes[key]
	if len(o.Observed) == 0 {
		delete(s.outcomes, key)
	} else {
		s.outcomes[key] = o
	}
	s.mu.Unlock()
	if changed := changedFor(before, had, o); len(changed) > 0 {
		s.notify(changed...)
	}
}

// changedFor lists the holders that see a difference between two outcomes of
// one principal, in a stable order.
func changedFor(before Outcome, had bool, after Outcome) []Holder {
	same := had && before.Narrowed == after.Narrowed && slices.Equal(before.PolicyARNs, after.PolicyARNs)
	var changed []Holder
	for uid, seen := range after.Observed {
		if same && before.Observed[uid] == seen {
			continue
		}
		changed = append(changed, seen.Holder)
	}
	slices.SortFunc(changed, func(a, b Holder) int { return strings.Compare(a.String(), b.String()) })
	return changed
}
