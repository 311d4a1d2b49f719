package grants

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Effect is why IAM denies a principal the sessions of one SessionAccess although its
// policies are in place. The zero value: it allows them.
type Effect struct{ Reason, Message string }

// EffectStore keeps what IAM's policy simulator answered last for the principals of every
// SessionAccess.
type EffectStore struct {
	notify func(...types.NamespacedName)

	mu      sync.RWMutex
	effects map[types.UID]map[PrincipalKey]Effect
}

// NewEffectStore returns an empty store. notify is called with the objects for which
// something changed; it must not block.
func NewEffectStore(notify func(...types.NamespacedName)) *EffectStore {
	return &EffectStore{notify: notify, effects: map[types.UID]map[PrincipalKey]Effect{}}
}

// Get returns the first effect that denies something of an object, in the order of its
// principals. known is false where this process has no answer about the object.
func (s *EffectStore) Get(uid types.UID) (effect Effect, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	of := s.effects[uid]
	for _, key := range slices.SortedFunc(maps.Keys(of), compareKeys) {
		if of[key] != (Effect{}) {
			return of[key], true
		}
	}
	return Effect{}, len(of) > 0
}

// Put replaces all answers about a principal by those for the objects that grant it
// something, and notifies the objects for which one changed.
func (s *EffectStore) Put(key PrincipalKey, found map[types.UID]Effect, names map[types.UID]types.NamespacedName) {
	var changed []types.NamespacedName
	s.mu.Lock()
	for uid, of := range s.effects {
		if _, still := found[uid]; !still {
			delete(of, key)
		}
		if len(of) == 0 {
			delete(s.effects, uid)
		}
	}
	for uid, effect := range found {
		of := s.effects[uid]
		if of == nil {
			of = map[PrincipalKey]Effect{}
			s.effects[uid] = of
		}
		before, had := of[key]
		of[key] = effect
		if before != effect || !had && effect == (Effect{}) {
			changed = append(changed, names[uid])
		}
	}
	s.mu.Unlock()
	if len(changed) > 0 {
		s.notify(changed...)
	}
}
