package grants

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Reachability is what was found on the nodes of one SessionAccess.
type Reachability struct {
	// Serial of the applied record whose nodes they are.
	Serial int64
	// Targets is nil where nothing is known of them any more.
	Targets *v1alpha1.TargetsStatus
	// Status, Reason and Message of the condition TargetsReachable.
	Status          metav1.ConditionStatus
	Reason, Message string
	// Keys are those that the documents name with which the access opens sessions.
	Keys admission.DocumentKeys
	// Found is when it was found.
	Found metav1.Time
}

// ReachabilityStore keeps the last report of every SessionAccess.
type ReachabilityStore struct {
	notify func(...types.NamespacedName)

	mu      sync.RWMutex
	reports map[types.UID]Reachability
}

// NewReachabilityStore returns an empty store. notify is called with an object whose report
// has changed; it must not block.
func NewReachabilityStore(notify func(...types.NamespacedName)) *ReachabilityStore {
	return &ReachabilityStore{notify: notify, reports: map[types.UID]Reachability{}}
}

// Get returns the last report on an object in this process.
func (s *ReachabilityStore) Get(uid types.UID) (Reachability, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.reports[uid]
	return r, ok
}

// Put records a report, and notifies its object where it says something new.
func (s *ReachabilityStore) Put(uid types.UID, object types.NamespacedName, r Reachability) {
	s.mu.Lock()
	before, had := s.reports[uid]
	s.reports[uid] = r
	s.mu.Unlock()
	// That the same was found of another record, or again, is no news.
	before.Serial, before.Found = r.Serial, r.Found
	if !had || !equality.Semantic.DeepEqual(before, r) {
		s.notify(object)
	}
}

// Forget drops the report of an object that is gone.
func (s *ReachabilityStore) Forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reports, uid)
}
