package invariants

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// identity is one principal of IAM. Its name may change or pass to another one;
// its token does neither. For the first principal that has a name, the token is
// the name.
type identity struct {
	kind  v1alpha1.PrincipalKind
	token string
	// name is what it is called now, or was when it was deleted.
	name    string
	deleted bool
}

// identities are all that exist or have existed.
type identities struct{ all []*identity }

// named is the principal under a name, whatever its case; nil where there is none.
func (s *identities) named(kind v1alpha1.PrincipalKind, name string) *identity {
	for _, i := range s.all {
		if i.kind == kind && !i.deleted && strings.EqualFold(i.name, name) {
			return i
		}
	}
	return nil
}

// known is the principal with a token; nil where there is none.
func (s *identities) known(kind v1alpha1.PrincipalKind, token string) *identity {
	for _, i := range s.all {
		if i.kind == kind && i.token == token {
			return i
		}
	}
	return nil
}

// add makes a principal under a name.
func (s *identities) add(kind v1alpha1.PrincipalKind, name string) *identity {
	i := &identity{kind: kind, name: name, token: name}
	for n := 2; s.known(kind, i.token) != nil; n++ {
		i.token = fmt.Sprintf("%s#%d", name, n)
	}
	s.all = append(s.all, i)
	return i
}

// fate is what has become of a principal that an access names.
type fate int

const (
	// there: IAM has it.
	there fate = iota
	// missing: nothing has the name.
	missing
	// recreated: another one has the name.
	recreated
	// unsure: another one has the name, and the model does not know whether the operator
	// took it for the one that is meant.
	unsure
)

// bond is who the principals of a declaration are to the operator: the tokens, by
// kind and name.
type bond struct {
	of map[string]string
	// unsure are those that may mean another one by now, and dropped those that the
	// spec has ceased to name since the last rest.
	unsure, dropped map[string]bool
}

func newBond() bond { return bond{map[string]string{}, map[string]bool{}, map[string]bool{}} }

func (h bond) clone() bond {
	return bond{maps.Clone(h.of), maps.Clone(h.unsure), maps.Clone(h.dropped)}
}

func bondKey(p v1alpha1.Principal) string { return string(p.Kind) + "/" + strings.ToLower(p.Name) }

// meant is the principal that an access means by a name: the token of one that gets
// the access, and its fate.
func (f Facts) meant(p v1alpha1.Principal, h bond) (token string, is fate) {
	if p.Kind == v1alpha1.PrincipalPermissionSet {
		return p.Name, there
	}
	present := f.IDs.named(p.Kind, p.Name)
	if present == nil {
		return "", missing
	}
	recorded := f.IDs.known(p.Kind, h.of[bondKey(p)])
	switch {
	case recorded == nil, recorded == present, recorded.deleted && f.Grant:
		return present.token, there
	case h.unsure[bondKey(p)]:
		return present.token, unsure
	default:
		return "", recreated
	}
}

// identify puts tokens in the place of the names in a spec. A principal that is
// not there, or is another one, is left out.
func (f Facts) identify(s *v1alpha1.SessionAccessSpec, h bond) {
	var all []v1alpha1.Principal
	for _, p := range s.Principals {
		if token, _ := f.meant(p, h); token != "" {
			all = append(all, v1alpha1.Principal{Kind: p.Kind, Name: token})
		}
	}
	s.Principals = all
}

// fates reports whether some principal of a spec has a fate.
func (f Facts) fates(s *v1alpha1.SessionAccessSpec, h bond, wanted fate) bool {
	return slices.ContainsFunc(s.Principals, func(p v1alpha1.Principal) bool {
		_, is := f.meant(p, h)
		return is == wanted
	})
}

// drop notes which principals a spec does not name any more. Whether the operator has
// seen the removal of one that returns before the next rest is not known.
func (h bond) drop(before, after []v1alpha1.Principal) {
	for _, p := range before {
		h.dropped[bondKey(p)] = true
	}
	for _, p := range after {
		if key := bondKey(p); h.dropped[key] && !slices.ContainsFunc(before, func(q v1alpha1.Principal) bool { return bondKey(q) == key }) {
			h.unsure[key] = true
		}
	}
	for _, p := range after {
		delete(h.dropped, bondKey(p))
	}
}

// bind notes at rest which principals the operator knows by the names that an
// access grants anything to. For an access that is not granted now, the model
// does not know whether the operator noted that.
func (f Facts) bind(d *declaration, certain bool) {
	next := newBond()
	for _, p := range d.spec.Principals {
		key := bondKey(p)
		token, is := f.meant(p, d.bond)
		if next.of[key] = d.bond.of[key]; is == there {
			next.of[key] = token
		}
		known := is == there && certain
		if !known && (d.bond.unsure[key] || next.of[key] != d.bond.of[key]) {
			next.unsure[key] = true
		}
	}
	d.bond = next
}
