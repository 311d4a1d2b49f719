package sessiondocument

import (
	"context"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// Memory is what this process knows in addition to the objects: which of them were found
// in the desired state, when documents were last written, and what the last list of a
// region showed. Losing it costs calls and nothing else.
type Memory struct {
	started time.Time
	lists   *awscache.Cache[v1alpha1.Region, listing]

	mu      sync.Mutex
	settled map[types.UID]settled
	// met are the objects that this process has reconciled.
	met     map[types.UID]bool
	written map[documentKey]write
	// shareMade is when a resource share of a document was last asked for.
	shareMade map[documentKey]time.Time
}

// NewMemory returns an empty Memory.
func NewMemory(clk clock.PassiveClock) *Memory {
	return &Memory{
		started: clk.Now(), lists: newLists(clk),
		settled: map[types.UID]settled{}, met: map[types.UID]bool{}, written: map[documentKey]write{}, shareMade: map[documentKey]time.Time{},
	}
}

// settled is an object that was found in the desired state.
type settled struct {
	generation, accountGeneration int64
	annotations                   map[string]string
	// read is when it was read whole, or trusted without; deep when to do so next.
	read, deep time.Time
	// created are the dates of the documents, as in the first list after the read.
	created map[v1alpha1.Region]time.Time
}

// settle remembers an object that was just found in the desired state, by reads since
// begun. It counts from there: what changed in AWS during them may not be in them.
func (m *Memory) settle(s *scope, begun, now time.Time) {
	interval := deepInterval
	if logging := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionLoggingReady); logging != nil && logging.Status != metav1.ConditionTrue {
		interval = unwellInterval
	}
	m.put(s, now, begun.Add(interval))
}

func (m *Memory) put(s *scope, read, deep time.Time) settled {
	known := settled{
		generation: s.Object.Generation, accountGeneration: s.account.Generation, annotations: maps.Clone(s.Object.Annotations),
		read: read, deep: deep, created: map[v1alpha1.Region]time.Time{},
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled[s.Object.UID], m.met[s.Object.UID] = known, true
	return known
}

// forget makes the next reconcile of an object a whole one.
func (m *Memory) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.settled, uid)
	m.met[uid] = true
}

// drop forgets an object that is gone.
func (m *Memory) drop(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.settled, uid)
	delete(m.met, uid)
}

// isNew reports whether this process has not reconciled an object yet.
func (m *Memory) isNew(uid types.UID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.met[uid]
}

func (m *Memory) get(uid types.UID) (settled, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.settled[uid]
	return s, ok
}

// spread is a share of deepInterval that differs from object to object, so that
// after a start not all of them are read at once.
func spread(uid types.UID) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(uid))
	return deepInterval * time.Duration(h.Sum32()%1000) / 1000
}

// documentKey is a document in AWS.
type documentKey struct{ accountID, region, name string }

// write is the last write to a document.
type write struct {
	at time.Time
	// deleted: AWS acknowledged that it deletes the document.
	deleted bool
}

func (m *Memory) wrote(k documentKey, at time.Time, deleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[k] = write{at: at, deleted: deleted}
}

// absenceCounts returns from when on an answer that there is no such document counts. A
// document may still appear whose creation got no answer, or has not reached every server
// of AWS.
func (m *Memory) absenceCounts(k documentKey) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.written[k]
	switch {
	case !ok:
		return m.started.Add(awsclient.ConsistencyWindow)
	case w.deleted:
		return w.at
	default:
		return w.at.Add(awsclient.ConsistencyWindow)
	}
}

// wroteShare notes that a resource share of a document is being made.
func (m *Memory) wroteShare(k documentKey, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shareMade[k] = at
}

// shareAbsenceCounts returns from when on an answer that there is no resource share of a
// document counts, as absenceCounts does for the document.
func (m *Memory) shareAbsenceCounts(k documentKey) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	made, ok := m.shareMade[k]
	if !ok {
		made = m.started
	}
	return made.Add(awsclient.ConsistencyWindow)
}

func (m *Memory) forgetShare(k documentKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.shareMade, k)
}

func (m *Memory) forgetDocument(k documentKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.written, k)
}

// listing is a list of the documents of a region.
type listing struct {
	begun     time.Time
	documents map[string]ssm.ListedDocument
}

// newLists lists the documents of a region once in a resync of the account: a
// hundred objects need two pages of a list, not a hundred calls.
func newLists(clk clock.PassiveClock) *awscache.Cache[v1alpha1.Region, listing] {
	return awscache.NewCache(clk, func(ctx context.Context, account accounts.Entry, region v1alpha1.Region) (listing, error) {
		begun := clk.Now()
		documents, err := account.SSM(string(region)).SessionDocuments(awsclient.WithPriority(ctx, awsclient.Resync))
		return listing{begun: begun, documents: documents}, err
	})
}
