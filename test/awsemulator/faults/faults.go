// Package faults decides which API calls of an emulator go wrong, and how.
package faults

import (
	"fmt"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Kind is what happens to a call that a fault strikes.
type Kind string

// The kinds of fault.
const (
	// Throttle answers that the rate is exceeded; nothing is done.
	Throttle Kind = "throttle"
	// ServerError answers with the service's internal error, HTTP 500.
	ServerError Kind = "server-error"
	// Unavailable answers HTTP 503.
	Unavailable Kind = "unavailable"
	// AccessDenied refuses as a missing permission does.
	AccessDenied Kind = "access-denied"
	// Error answers with the fault's own Code, Message and Status.
	Error Kind = "error"
	// Drop cuts the connection before anything is done.
	Drop Kind = "drop"
	// DropAfter does what the call asks for, then cuts the connection: the
	// client cannot know.
	DropAfter Kind = "drop-after"
	// ErrorAfter does what the call asks for and answers HTTP 500.
	ErrorAfter Kind = "error-after"
	// Latency lets the call wait before it is done.
	Latency Kind = "latency"
	// Hold keeps the call waiting, undone, until the fault is removed or the
	// client disconnects.
	Hold Kind = "hold"
	// HoldAfter does what the call asks for and keeps the answer back.
	HoldAfter Kind = "hold-after"
)

// After reports whether the fault strikes after the effect of the call.
func (k Kind) After() bool { return k == DropAfter || k == ErrorAfter || k == HoldAfter }

func (k Kind) known() bool {
	switch k {
	case Throttle, ServerError, Unavailable, AccessDenied, Error, Drop, DropAfter, ErrorAfter, Latency, Hold, HoldAfter:
		return true
	}
	return false
}

// Fault says which calls go wrong and how. What is left empty matches all.
type Fault struct {
	// ID is given when the fault is added.
	ID   string `json:"id,omitempty"`
	Kind Kind   `json:"kind"`
	// Action is a pattern over "service:Operation" with * and ?.
	Action string `json:"action,omitempty"`
	// Account is an account id, Caller a pattern over the caller's ARN.
	Account string `json:"account,omitempty"`
	Caller  string `json:"caller,omitempty"`
	// Region is one that the call is sent to, as IAM's is us-east-1.
	Region string `json:"region,omitempty"`
	// Parameter is the value of one of the call's plain parameters.
	Parameter string `json:"parameter,omitempty"`
	// WritesOnly leaves reads alone.
	WritesOnly bool `json:"writesOnly,omitempty"`
	// Share is the part of the matching calls that is struck, 0 and 1 mean all.
	Share float64 `json:"share,omitempty"`
	// Nth strikes only the n-th matching call, counted from 1.
	Nth int `json:"nth,omitempty"`
	// Count is how many calls are struck at most; 0 is without limit.
	Count int `json:"count,omitempty"`
	// Latency is for the kind of that name.
	Latency Duration `json:"latency,omitempty"`
	// Code, Message and Status are for the kind Error. Status is 400 when 0.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Status  int    `json:"status,omitempty"`
}

// Duration is a time.Duration that is written like "1.5s" in JSON.
type Duration time.Duration

// MarshalText writes the duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration such as "300ms".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Subject is what a call looks like to faults.
type Subject struct {
	Action, AccountID, Caller, Region string
	Write                             bool
	// Parameters are the call's plain ones, by name.
	Parameters map[string]string
}

// Struck is an active fault on a call. Released is closed when the fault is
// removed.
type Struck struct {
	Fault
	Released <-chan struct{}
}

type active struct {
	Fault
	matched, fired int
	released       chan struct{}
}

// Set is the active faults. It is safe for concurrent use.
type Set struct {
	mu     sync.Mutex
	next   int
	faults []*active
	random *service.Random
}

// NewSet returns a set without faults.
func NewSet(random *service.Random) *Set { return &Set{next: 1, random: random} }

// Add activates a fault and returns its id.
func (s *Set) Add(f Fault) (string, error) {
	if !f.Kind.known() {
		return "", fmt.Errorf("there is no fault of kind %q", f.Kind)
	}
	if f.Share < 0 || f.Share > 1 || f.Nth < 0 || f.Count < 0 || f.Latency < 0 {
		return "", fmt.Errorf("share is from 0 to 1, nth, count and latency are not negative")
	}
	if f.Kind == Error && f.Code == "" {
		return "", fmt.Errorf("a fault of kind %s needs a code", f.Kind)
	}
	for _, pattern := range []string{f.Action, f.Caller} {
		if _, err := path.Match(pattern, ""); err != nil {
			return "", fmt.Errorf("the pattern %q is malformed", pattern)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ID = "fault-" + strconv.Itoa(s.next)
	s.next++
	s.faults = append(s.faults, &active{Fault: f, released: make(chan struct{})})
	return f.ID, nil
}

// Remove deactivates a fault and releases the calls that it holds. An empty id
// removes all. It reports whether there was any.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*active
	for _, f := range s.faults {
		if id == "" || f.ID == id {
			close(f.released)
		} else {
			rest = append(rest, f)
		}
	}
	found := len(rest) != len(s.faults)
	s.faults = rest
	return found
}

// Status is a fault and how often it has matched and struck.
type Status struct {
	Fault
	Matched int `json:"matched"`
	Fired   int `json:"fired"`
}

// List returns the active faults.
func (s *Set) List() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Status, len(s.faults))
	for i, f := range s.faults {
		list[i] = Status{f.Fault, f.matched, f.fired}
	}
	return list
}

// Strike returns the faults that strike a call: any latency first, then at
// most one other, that which was added before the rest.
func (s *Set) Strike(subject Subject) []Struck {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waits, struck []Struck
	for _, f := range s.faults {
		if !f.matches(subject) {
			continue
		}
		f.matched++
		if !s.fires(f) || (len(struck) > 0 && f.Kind != Latency) {
			continue
		}
		f.fired++
		if f.Kind == Latency {
			waits = append(waits, Struck{f.Fault, f.released})
		} else {
			struck = append(struck, Struck{f.Fault, f.released})
		}
	}
	return append(waits, struck...)
}

func (s *Set) fires(f *active) bool {
	switch {
	case f.Nth > 0 && f.matched != f.Nth:
		return false
	case f.Count > 0 && f.fired >= f.Count:
		return false
	case f.Share > 0 && f.Share < 1:
		return s.random.Float() < f.Share
	default:
		return true
	}
}

func (f *active) matches(c Subject) bool {
	return (!f.WritesOnly || c.Write) && (f.Account == "" || f.Account == c.AccountID) &&
		(f.Region == "" || f.Region == c.Region) && (f.Parameter == "" || hasValue(c.Parameters, f.Parameter)) &&
		glob(f.Action, c.Action) && glob(f.Caller, c.Caller)
}

func hasValue(parameters map[string]string, wanted string) bool {
	for _, value := range parameters {
		if value == wanted {
			return true
		}
	}
	return false
}

// glob matches * over everything, slashes too.
func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(flat(pattern), flat(text))
	return err == nil && ok
}

// flat replaces the slashes, because a * of path.Match does not match them.
func flat(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c == '/' {
			b[i] = '|'
		}
	}
	return string(b)
}
