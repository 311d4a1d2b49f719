package grants

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// A grant remembers since when it covers what: a session that began before has
// been opened with other permissions. The zero time stands for a start that is not
// known, before which nothing is known to have begun. A part that is ungranted has no
// start: it was recorded, and AWS was not asked to allow it.

const (
	// maxAdded bounds the later starts of a grant, as the API does.
	maxAdded = 32
	// maxInherited bounds the starts that passed to a grant, as the API does.
	maxInherited = 200
)

// PrincipalPart names a principal among the parts of a grant, whatever its case.
func PrincipalPart(p v1alpha1.Principal) string {
	return string(p.Kind) + "/" + strings.ToLower(p.Name)
}

// TargetPart names a node of a target, or with "" the target of tags alone.
func TargetPart(t *v1alpha1.ResolvedTarget, id string) string {
	if len(t.Tags) == 0 {
		return id
	}
	text, err := json.Marshal(t.Tags) // Sorted by key.
	if err != nil {
		panic(err) // No map of strings fails.
	}
	sum := sha256.Sum256(append(text, t.HybridRegion...))
	return "tags:" + hex.EncodeToString(sum[:8]) + "/" + id
}

// parts are the names of what a grant is made of, by principals, targets and regions.
type parts [3][]string

func partsOf(g *v1alpha1.ResolvedGrant) parts {
	var p parts
	for _, principal := range g.Principals {
		p[0] = append(p[0], PrincipalPart(principal))
	}
	for i := range g.Targets {
		t := &g.Targets[i]
		for _, id := range t.InstanceIDs {
			p[1] = append(p[1], TargetPart(t, string(id)))
		}
		if len(t.InstanceIDs) == 0 {
			p[1] = append(p[1], TargetPart(t, ""))
		}
	}
	for _, region := range g.Regions {
		p[2] = append(p[2], string(region))
	}
	return p
}

// starts are the starts of the parts of a grant, without those that are ungranted.
func starts(g *v1alpha1.ResolvedGrant) map[string]time.Time {
	known := map[string]time.Time{}
	for _, of := range partsOf(g) {
		for _, part := range of {
			known[part] = timeOf(g.Since)
		}
	}
	for _, added := range g.Added {
		for _, part := range added.Parts {
			if _, ok := known[part]; ok {
				known[part] = added.Since.Time
			}
		}
	}
	for _, part := range g.Ungranted {
		delete(known, part)
	}
	return known
}

// allowed are the starts of the parts of a grant, moved to its notBefore where that is later. What is not known stays so.
func allowed(g *v1alpha1.ResolvedGrant) map[string]time.Time {
	at := starts(g)
	for part, start := range at {
		if !start.IsZero() {
			at[part] = latest(start, timeOf(g.NotBefore))
		}
	}
	return at
}

// startsBefore are the starts of the parts of a grant before it changes to another one. A
// notBefore that changes no longer says when they began, so they have it.
func startsBefore(before, next *v1alpha1.ResolvedGrant, now time.Time) map[string]time.Time {
	if timeOf(before.NotBefore).Equal(timeOf(next.NotBefore)) {
		return starts(before)
	}
	at := allowed(before)
	for part, start := range at {
		if start.After(now) {
			at[part] = now
		}
	}
	return at
}

// Beginning says how the parts of a grant begin that are not granted already.
type Beginning struct {
	// At is when they begin.
	At time.Time
	// Ungranted: they do not begin, because nothing is written to the account now.
	Ungranted bool
	// Doubted are those that may be in AWS since a time that is not known. Nil: none.
	Doubted map[string]bool
}

// Begin returns a grant with its starts: a part that before had keeps its start,
// and what passed to it is kept; every other begins as b says. before may be nil. The
// grant is not changed.
func Begin(g, before *v1alpha1.ResolvedGrant, b Beginning) *v1alpha1.ResolvedGrant {
	next := g.DeepCopy()
	next.Since, next.Added, next.Inherited, next.Ungranted = nil, nil, nil, nil
	now := b.At.UTC().Truncate(time.Second) // As it is stored: rather too early than too late.
	var known map[string]time.Time
	if before != nil && before.AccountID == g.AccountID {
		known = startsBefore(before, next, now)
		next.Inherited = before.DeepCopy().Inherited
	}
	at := map[string]time.Time{}
	for _, of := range partsOf(next) {
		for _, part := range of {
			start, kept := known[part]
			switch {
			case kept:
				at[part] = start
			case b.Doubted[part]:
				at[part] = time.Time{}
			default:
				if _, listed := at[part]; b.Ungranted && !listed {
					next.Ungranted = append(next.Ungranted, part)
				}
				at[part] = now
			}
		}
	}
	setStarts(next, at)
	return next
}

// setStarts puts the starts of all parts into a grant.
func setStarts(g *v1alpha1.ResolvedGrant, at map[string]time.Time) {
	g.Since, g.Added = nil, nil
	of := partsOf(g)
	// Nothing is covered before the latest of what the three begin with.
	var first time.Time
	for _, dimension := range of {
		earliest := at[dimension[0]]
		for _, part := range dimension {
			if at[part].Before(earliest) {
				earliest = at[part]
			}
		}
		if earliest.After(first) {
			first = earliest
		}
	}
	if !first.IsZero() {
		g.Since = &metav1.Time{Time: first}
	}
	later, ungranted := map[time.Time][]string{}, setOf(g.Ungranted)
	for _, dimension := range of {
		for _, part := range dimension {
			if start := at[part].UTC(); start.After(first) && !ungranted[part] && !slices.Contains(later[start], part) {
				later[start] = append(later[start], part)
			}
		}
	}
	for start, added := range later {
		slices.Sort(added)
		g.Added = append(g.Added, v1alpha1.CoverageStart{Since: metav1.Time{Time: start}, Parts: added})
	}
	slices.SortFunc(g.Added, func(a, b v1alpha1.CoverageStart) int { return a.Since.Compare(b.Since.Time) })
	for len(g.Added) > maxAdded {
		g.Added = joinClosest(g.Added)
	}
}

// joinClosest makes one of the two starts that lie closest together: the earlier.
func joinClosest(added []v1alpha1.CoverageStart) []v1alpha1.CoverageStart {
	closest := 1
	for i := 2; i < len(added); i++ {
		if added[i].Since.Sub(added[i-1].Since.Time) < added[closest].Since.Sub(added[closest-1].Since.Time) {
			closest = i
		}
	}
	joined := slices.Concat(added[closest-1].Parts, added[closest].Parts)
	slices.Sort(joined)
	added[closest-1].Parts = joined
	return slices.Delete(added, closest, closest+1)
}

// Earlier returns a grant with the earlier of the starts of two that are the same
// access, as [SameAccess] says.
func Earlier(g, other *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	next := g.DeepCopy()
	at, others := starts(g), starts(other)
	for part, start := range others {
		if have, ok := at[part]; ok && start.Before(have) {
			at[part] = start
		}
	}
	setStarts(next, at)
	for _, i := range other.Inherited {
		next = Inherit(next, i.Owner, i.Node, timeOf(i.Since))
	}
	return next
}

// beginWithEarlier gives a grant that was merged of two the earlier start of each
// part, and what passed to either.
func beginWithEarlier(merged, a, b *v1alpha1.ResolvedGrant) {
	at := allowed(a)
	for part, start := range allowed(b) {
		if have, ok := at[part]; !ok || start.Before(have) {
			at[part] = start
		}
	}
	merged.NotBefore, merged.Inherited = nil, nil // The starts say when either allowed something.
	setStarts(merged, at)
	for _, i := range slices.Concat(a.Inherited, b.Inherited) {
		*merged = *Inherit(merged, i.Owner, i.Node, timeOf(i.Since))
	}
}

// beginsNoLater reports whether a grant covers each part of another at least as
// long, and all that passed to it.
func beginsNoLater(f, g *v1alpha1.ResolvedGrant) bool {
	at := allowed(f)
	last := latest(slices.Collect(maps.Values(at))...)
	for part, start := range allowed(g) {
		have, ok := at[part]
		if !ok {
			have = last // A narrower target has a part of its own.
		}
		if have.After(start) {
			return false
		}
	}
	return !slices.ContainsFunc(g.Inherited, func(i v1alpha1.InheritedStart) bool {
		return !slices.ContainsFunc(f.Inherited, func(j v1alpha1.InheritedStart) bool {
			return j.Owner == i.Owner && j.Node == i.Node && !timeOf(j.Since).After(timeOf(i.Since))
		})
	})
}

// Inherit returns a grant to which sessions of an owner on a node passed, which
// another grant has covered since a time. The grant is not changed.
func Inherit(g *v1alpha1.ResolvedGrant, owner, node string, since time.Time) *v1alpha1.ResolvedGrant {
	next := g.DeepCopy()
	start := stored(since)
	for i := range next.Inherited {
		have := &next.Inherited[i]
		if have.Owner != owner || have.Node != node {
			continue
		}
		if since.Before(timeOf(have.Since)) {
			have.Since = start
		}
		return next
	}
	if len(next.Inherited) >= maxInherited {
		return inheritAll(next, since)
	}
	next.Inherited = append(next.Inherited, v1alpha1.InheritedStart{Owner: owner, Node: node, Since: start})
	return next
}

// InheritAll returns a grant that keeps what passed to it without room of its own: all of
// it begins where the earliest of that does. The grant is not changed.
func InheritAll(g *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	return inheritAll(g.DeepCopy(), timeOf(g.Since))
}

// inheritAll has all of a grant begin where the earliest of what passed to it does:
// there is no room to keep them apart.
func inheritAll(g *v1alpha1.ResolvedGrant, since time.Time) *v1alpha1.ResolvedGrant {
	earliest := since
	for _, i := range g.Inherited {
		if timeOf(i.Since).Before(earliest) {
			earliest = timeOf(i.Since)
		}
	}
	if timeOf(g.Since).Before(earliest) {
		earliest = timeOf(g.Since)
	}
	if timeOf(g.NotBefore).After(earliest) {
		earliest = time.Time{} // What passed to the grant began before the grant allowed anything.
	}
	g.Since, g.Added, g.Inherited = stored(earliest), nil, nil
	return g
}

func stored(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.UTC().Truncate(time.Second)}
}

// SameAccess reports whether two grants allow the very same, whenever they began.
func SameAccess(a, b *v1alpha1.ResolvedGrant) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equality.Semantic.DeepEqual(timeless(a), timeless(b))
}

func timeless(g *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	plain := *g
	plain.Since, plain.Added, plain.Inherited, plain.Ungranted = nil, nil, nil, nil
	return &plain
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// Starts counts what a grant keeps of its starts.
func Starts(g *v1alpha1.ResolvedGrant) int {
	n := 2 * len(g.Inherited)
	for _, added := range g.Added {
		n += len(added.Parts)
	}
	return n
}

// DoubtedParts returns the parts of a grant that AWS may already allow, since a time that
// is not known: principals and targets and, if there are any, all regions of the grant.
// holds reports whether AWS may allow a principal a target, or one id of it.
func DoubtedParts(g *v1alpha1.ResolvedGrant, holds func(p v1alpha1.Principal, t *v1alpha1.ResolvedTarget, id string) bool) map[string]bool {
	doubted := map[string]bool{}
	for _, p := range g.Principals {
		for i := range g.Targets {
			t := &g.Targets[i]
			ids := []string{""}
			if len(t.InstanceIDs) > 0 {
				ids = texts(t.InstanceIDs)
			}
			for _, id := range ids {
				if holds(p, t, id) {
					doubted[PrincipalPart(p)], doubted[TargetPart(t, id)] = true, true
				}
			}
		}
	}
	if len(doubted) > 0 {
		for _, region := range g.Regions {
			doubted[string(region)] = true
		}
	}
	return doubted
}

// AnyHasPart reports whether one of the grants has a target of that name.
func AnyHasPart(all []v1alpha1.ResolvedGrant, target string) bool {
	return slices.ContainsFunc(all, func(g v1alpha1.ResolvedGrant) bool { return slices.Contains(partsOf(&g)[1], target) })
}
