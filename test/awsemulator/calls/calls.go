// Package calls keeps account of the API calls that an emulator has answered.
package calls

import (
	"maps"
	"sync"
	"time"
)

// keep bounds the log: when it is full, the older half is dropped.
const keep = 1 << 17

// Call is one API call.
type Call struct {
	// N counts the calls from 1, in the order of their arrival. A reset does not
	// restart the count.
	N int `json:"n"`
	// Time is the emulator's time of the arrival.
	Time      time.Time `json:"time"`
	RequestID string    `json:"requestId"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Write     bool      `json:"write"`
	AccountID string    `json:"accountId,omitempty"`
	Region    string    `json:"region,omitempty"`
	// Caller is the ARN that GetCallerIdentity would answer.
	Caller    string `json:"caller,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	// Parameters are the call's own, documents left out.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Done means that the call has been answered.
	Done bool `json:"done"`
	// Code is the error code of the answer, empty for success. "Dropped" is a
	// connection that a fault has cut.
	Code string `json:"code,omitempty"`
	// Effect means that the operation was carried out, whatever the answer.
	Effect bool `json:"effect"`
	// Fault is the id of the fault that struck, if one did.
	Fault string `json:"fault,omitempty"`
}

// Action is "service:Operation", as IAM spells it.
func (c Call) Action() string { return c.Service + ":" + c.Operation }

// Counts are calls added up.
type Counts struct {
	Total  int `json:"total"`
	Writes int `json:"writes"`
	Errors int `json:"errors"`
	// ByAction counts by "service:Operation".
	ByAction map[string]int `json:"byAction"`
	// ErrorsByCode counts failed calls by error code.
	ErrorsByCode map[string]int `json:"errorsByCode"`
}

// Log is an ordered log of calls with their counts. It is safe for concurrent
// use.
type Log struct {
	mu     sync.Mutex
	next   int
	first  int // N of calls[0]
	calls  []Call
	counts Counts
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{next: 1, first: 1, counts: newCounts()}
}

func newCounts() Counts { return Counts{ByAction: map[string]int{}, ErrorsByCode: map[string]int{}} }

// Begin records the arrival of a call and returns its number.
func (l *Log) Begin(c Call) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.N = l.next
	l.next++
	if len(l.calls) >= keep {
		half := len(l.calls) / 2
		l.calls = append([]Call(nil), l.calls[half:]...)
		l.first += half
	}
	l.calls = append(l.calls, c)
	l.counts.Total++
	l.counts.ByAction[c.Action()]++
	if c.Write {
		l.counts.Writes++
	}
	return c.N
}

// Update changes the entry of call n, if it is still there.
func (l *Log) Update(n int, change func(*Call)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := n - l.first; i >= 0 && i < len(l.calls) {
		change(&l.calls[i])
	}
}

// End records the answer to call n.
func (l *Log) End(n int, code string) {
	l.Update(n, func(c *Call) { c.Done, c.Code = true, code })
	if code == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Errors++
	l.counts.ErrorsByCode[code]++
}

// Since returns the calls after number n, oldest first.
func (l *Log) Since(n int) []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := max(n+1-l.first, 0)
	if from >= len(l.calls) {
		return []Call{}
	}
	return append([]Call{}, l.calls[from:]...)
}

// Counts returns the sums since the last reset.
func (l *Log) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	c.ByAction, c.ErrorsByCode = maps.Clone(c.ByAction), maps.Clone(c.ErrorsByCode)
	return c
}

// Reset empties the log and the counts. The numbering continues.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.calls, l.counts = l.next, nil, newCounts()
}
