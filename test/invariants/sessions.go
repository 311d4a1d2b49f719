package invariants

import (
	"fmt"
	"slices"
	"time"
)

// session is an open session that the observer keeps an eye on.
type session struct {
	Question
	// kept: a declaration that has been in effect at rest has covered it ever
	// since it was opened.
	kept bool
	// over: it was seen ended.
	over bool
}

// Open opens a session that the declarations allow. It must be at rest.
func (o *Observer) Open(q Question) error {
	id, err := o.server.OpenSession(q.Person.ARN, o.domain.Region, q.Node.ID, q.Document)
	if err != nil {
		return fmt.Errorf("open a session of %s on %s: %w", q.Person.ARN, q.Node.ID, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions[id] = &session{Question: q, kept: true}
	o.keepSessions()
	return nil
}

// Openable are the questions that one declaration by itself answers with yes.
func (o *Observer) Openable() []Question {
	o.mu.Lock()
	defer o.mu.Unlock()
	present := o.present()
	return slices.DeleteFunc(o.ask(), func(q Question) bool {
		return !q.MFA || q.From != Inside || !o.may(o.state(), q) ||
			!slices.ContainsFunc(present, func(g Grant) bool { return g.Certain && g.declares(q) })
	})
}

// keepSessions notes which sessions have lost their declaration. The lock is held.
func (o *Observer) keepSessions() {
	o.keepFederated()
	present := o.present()
	for _, s := range o.sessions {
		s.At = o.server.Now()
		s.kept = s.kept && slices.ContainsFunc(present, func(g Grant) bool { return g.Rested && g.declares(s.Question) })
	}
}

// covers reports whether a grant covers a session, or did until a margin ago: the
// session of a grant that has just expired may still be ending.
func covers(g Grant, q Question) bool {
	return slices.ContainsFunc([]time.Duration{0, margin}, func(ago time.Duration) bool {
		q.At = q.At.Add(-ago)
		return g.declares(q)
	})
}

// String names the owner and the node.
func (s *session) String() string {
	return fmt.Sprintf("the session of %s on %s", s.Person.ARN, s.Node.ID)
}

// over reports whether a session has ended. The lock is held.
func (o *Observer) over(id string) bool {
	state, ok := o.server.Account(o.domain.AccountID).Region(o.domain.Region).SSM.Session(id)
	return ok && !state.Ended.IsZero()
}

// uncovered reports whether no declaration covers a session, and none that leaves
// sessions open did. The lock is held.
func (o *Observer) uncovered(s *session) bool {
	covered := func(g Grant) bool { return covers(g, s.Question) }
	return !slices.ContainsFunc(o.present(), covered) && !slices.ContainsFunc(o.ever, func(g Grant) bool { return covers(endless(g), s.Question) })
}

// endless is a grant that does not expire: one that leaves sessions open leaves them when it
// expires, too.
func endless(g Grant) Grant {
	g.Specs = slices.Clone(g.Specs)
	for i := range g.Specs {
		g.Specs[i].NotAfter = nil
	}
	return g
}

// judgeSessions checks that those sessions have ended that nothing covers any
// more, and no others. The lock is held.
func (o *Observer) judgeSessions() {
	o.keepSessions()
	for id, s := range o.sessions {
		over := o.over(id)
		switch {
		case !over && o.uncovered(s):
			o.violated("%s is open, and nothing declares it any more", s)
		case over && !s.over && s.kept:
			o.violated("%s was ended, and has been declared all the time", s)
		}
		s.over = over
	}
}
