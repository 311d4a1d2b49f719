package invariants

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// margin is how near to the begin or the end of an access both answers are right.
const margin = 3 * time.Second

// Question is whether a person may open a session.
type Question struct {
	Person   Person
	Node     Node
	Document string
	MFA      bool
	From     string
	At       time.Time
}

// Grant is the result of one declaration: what all of its specs allow, which is
// one spec for all but those that wait for something.
type Grant struct {
	Specs []v1alpha1.SessionAccessSpec
	// Certain: at rest all of it must be in effect. What waits may be in
	// effect.
	Certain bool
	// Rested: it has been in effect at rest.
	Rested bool
}

// reaches reports whether the grant names the person and the node.
func (g Grant) reaches(q Question, slack time.Duration) bool {
	return all(g.Specs, func(s *v1alpha1.SessionAccessSpec) bool {
		return names(s, q.Person) && inForce(s, q, slack) && slices.ContainsFunc(s.Targets, func(t v1alpha1.Target) bool { return includes(t, q.Node) })
	})
}

// offers reports whether the grant gives the person the document.
func (g Grant) offers(q Question, slack time.Duration) bool {
	return all(g.Specs, func(s *v1alpha1.SessionAccessSpec) bool {
		return names(s, q.Person) && inForce(s, q, slack) && slices.Contains(documentsOf(s), q.Document)
	})
}

// declares reports whether the grant by itself allows what is asked, with a second
// factor and from any address that it allows.
func (g Grant) declares(q Question) bool {
	return all(g.Specs, func(s *v1alpha1.SessionAccessSpec) bool {
		return names(s, q.Person) && between(s, q.At, 0) && slices.Contains(documentsOf(s), q.Document) &&
			slices.ContainsFunc(s.Targets, func(t v1alpha1.Target) bool { return includes(t, q.Node) })
	})
}

// leaves reports whether open sessions stay when the access ends.
func (g Grant) leaves() bool {
	return slices.ContainsFunc(g.Specs, func(s v1alpha1.SessionAccessSpec) bool { return s.OnRevoke == v1alpha1.RevokeLeaveSessions })
}

// allowed says what IAM makes of grants: it checks the node and the document each
// by itself, so they may come from two of them.
func allowed(grants []Grant, q Question, slack time.Duration) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return g.reaches(q, slack) }) &&
		slices.ContainsFunc(grants, func(g Grant) bool { return g.offers(q, slack) })
}

func all[T any](list []T, holds func(*T) bool) bool {
	for i := range list {
		if !holds(&list[i]) {
			return false
		}
	}
	return len(list) > 0
}

func names(s *v1alpha1.SessionAccessSpec, p Person) bool {
	return slices.ContainsFunc(s.Principals, func(declared v1alpha1.Principal) bool {
		return slices.ContainsFunc(p.As, func(as v1alpha1.Principal) bool {
			return as.Kind == declared.Kind && strings.EqualFold(as.Name, declared.Name)
		})
	})
}

func includes(t v1alpha1.Target, n Node) bool {
	if len(t.InstanceIDs) > 0 && !slices.Contains(t.InstanceIDs, v1alpha1.InstanceID(n.ID)) {
		return false
	}
	if t.ActivationRef != nil && (n.Of == "" || n.Of != t.ActivationRef.Name) {
		return false
	}
	for key, value := range t.Tags {
		if excluded, ok := strings.CutPrefix(key, excludedMark); ok {
			if carries(n, excluded, value) {
				return false
			}
			continue
		}
		found := false
		for k, v := range n.Tags {
			found = found || (strings.EqualFold(k, key) && v == value)
		}
		if !found {
			return false
		}
	}
	return len(t.Tags)+len(t.InstanceIDs) > 0 || t.ActivationRef != nil
}

// inForce reports whether the conditions of an access hold for a question. slack
// widens its time, or narrows it where it is negative.
func inForce(s *v1alpha1.SessionAccessSpec, q Question, slack time.Duration) bool {
	return between(s, q.At, slack) && (q.MFA || !s.RequireMFA) && from(s.SourceCIDRs, q.From)
}

func between(s *v1alpha1.SessionAccessSpec, at time.Time, slack time.Duration) bool {
	return (s.NotBefore == nil || at.Add(slack).After(s.NotBefore.Time)) && (s.NotAfter == nil || at.Add(-slack).Before(s.NotAfter.Time))
}

func from(cidrs []v1alpha1.CIDR, address string) bool {
	at, err := netip.ParseAddr(address)
	return len(cidrs) == 0 || err == nil && slices.ContainsFunc(cidrs, func(c v1alpha1.CIDR) bool {
		prefix, err := netip.ParsePrefix(string(c))
		return err == nil && prefix.Contains(at)
	})
}

// documentsOf are the names of a spec's documents, those of references as they were resolved.
func documentsOf(s *v1alpha1.SessionAccessSpec) []string {
	if len(s.Documents) == 0 {
		return []string{v1alpha1.DefaultDocument}
	}
	var found []string
	for _, d := range s.Documents {
		if d.Name != "" {
			found = append(found, d.Name)
		}
	}
	return found
}
