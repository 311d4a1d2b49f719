package policy

import (
	"net/netip"
	"strings"
	"time"
)

// Sample is the opening of a session that a grant is to allow: on one node, with one
// document, in one region, under circumstances that satisfy the grant's conditions.
type Sample struct {
	Region string
	// Node and Document are ARNs.
	Node, Document string
	// Context are the condition keys that the conditions of the grant are about, and those
	// that AWS sends with the call.
	Context map[string][]string
}

const (
	// someInstance and someNode stand for a node of a target that names none.
	someInstance, someNode = "i-00000000000000000", "mi-00000000000000000"
	// someMember stands for a member of a group.
	someMember = "member"
	// keyEC2Tag is the global key of a node's tags.
	keyEC2Tag = "aws:ResourceTag/"
	// keyAccessRequest is the id of an approved request.
	keyAccessRequest = "ssm:AccessRequestId"
)

// ActionStart is the action of every sample.
const ActionStart = "ssm:StartSession"

// Samples returns one for each region of a grant, for its first target and document
// there. It returns none for a grant that is over at now. Second factors count as given:
// what asks for one does not deny the grant.
func (g *Grant) Samples(acct Account, p Principal, now time.Time) []Sample {
	if g.Expired(now) || len(g.Documents) == 0 {
		return nil
	}
	var samples []Sample
	for _, region := range g.Regions {
		target, ok := g.targetIn(region)
		if !ok {
			continue
		}
		scopes := newScopes(acct, region)
		document := scopes.documentElement(g.Documents[0].Name)
		samples = append(samples, Sample{
			Region: region, Node: scopes.node(target), Document: document.scope + document.name, Context: g.sampleContext(target, p, now),
		})
	}
	return samples
}

// targetIn is the first target that has nodes in a region.
func (g *Grant) targetIn(region string) (Target, bool) {
	for _, t := range g.Targets {
		if t.HybridIn == "" || t.HybridIn == region {
			return t, true
		}
	}
	return Target{}, false
}

// node is the ARN of a node of a target.
func (s regionScopes) node(t Target) string {
	switch {
	case t.HybridIn != "":
		return s.managed + someNode
	case len(t.InstanceIDs) == 0:
		return s.instance + someInstance
	case hybrid(t.InstanceIDs[0]):
		return s.managed + t.InstanceIDs[0]
	default:
		return s.instance + t.InstanceIDs[0]
	}
}

func (g *Grant) sampleContext(t Target, p Principal, now time.Time) map[string][]string {
	at := now
	// The condition is to the second, and does not hold at the very beginning.
	if begun := g.NotBefore.Add(2 * time.Second); !g.NotBefore.IsZero() && now.Before(begun) {
		at = begun
	}
	values := map[string][]string{
		keyTime: {at.UTC().Format(timeForm)}, keyMFA: yes, keyDocCheck: yes,
		"aws:PrincipalType": {"AssumedRole"},
	}
	switch p.Kind {
	case User:
		values[keyUsername], values["aws:PrincipalType"] = []string{p.Name}, []string{"User"}
	case Group:
		values[keyUsername], values["aws:PrincipalType"] = []string{someMember}, []string{"User"}
	case Role, PermissionSet:
		// They have no user name.
	}
	if len(g.SourceCIDRs) > 0 {
		if source, err := netip.ParsePrefix(g.SourceCIDRs[0]); err == nil {
			values[keySource] = []string{source.Addr().String()}
		}
	}
	for key, value := range t.Tags {
		values[keyResourceTag+key], values[keyEC2Tag+key] = []string{value}, []string{value}
	}
	return values
}

// IsTagKey reports whether a condition key is that of a resource's tag, in any case.
// Other grants of a principal have conditions on tags that a sample does not carry.
func IsTagKey(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, strings.ToLower(keyResourceTag)) || strings.HasPrefix(key, strings.ToLower(keyEC2Tag))
}

// IsAbsentKey reports whether no call that a grant allows has a condition key, in any
// case: a simulation without it is right. A session has ssm:AccessRequestId only where AWS
// opened it for an approved request of just-in-time node access.
func IsAbsentKey(key string) bool { return strings.EqualFold(key, keyAccessRequest) }
