package collect

import (
	"maps"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// Region is where a node is. For a node that was not found, it is the first of
// the regions to search.
func (s *Survey) Region(id string) string {
	if n := s.nodes[id]; n != nil {
		return n.region
	}
	return ""
}

// Selected lists the nodes of a selection by id, and reports whether there are
// more than it lists. denied are the actions that the operator lacks; without them
// it cannot be sure to find all nodes.
func (s *Survey) Selected(of Selection) (ids []string, more bool, denied []string) {
	found := s.selected[of.key()]
	return found.ids, found.more, found.denied
}

// Failed is why it is not known which nodes of some regions and selections are
// connected, where AWS gives no answer. Nil: it is known for all.
func (s *Survey) Failed(regions []string, selections []Selection) error {
	for _, region := range regions {
		if err := s.lostRegions[region]; err != nil {
			return err
		}
	}
	for _, of := range selections {
		if err := s.selected[of.key()].err; err != nil {
			return err
		}
	}
	return nil
}

// Documents are the documents of those names in a region, to judge nodes of it by.
func (s *Survey) Documents(region string, names []string) []check.Document {
	r := s.regions[region]
	if r == nil {
		return nil
	}
	documents := make([]check.Document, 0, len(names))
	for _, name := range names {
		documents = append(documents, check.Document{Name: name, Content: r.documents[name]})
	}
	return documents
}

// SessionKey is the key that a document names for its sessions.
type SessionKey struct {
	// ID is the key as the document names it; "" for none.
	ID string
	// ARN of the key; "" where it could not be found.
	ARN string
}

// SessionKey returns the key of a document in a region; read is false where it is not
// known what the document says.
func (s *Survey) SessionKey(region, document string) (key SessionKey, read bool) {
	r := s.regions[region]
	if r == nil {
		return SessionKey{}, false
	}
	content, read := r.documents[document].Get()
	if !read || content.SessionKey == "" {
		return SessionKey{ID: content.SessionKeyTemplate}, read
	}
	key.ID = content.SessionKey
	if r.logging != nil {
		key.ARN = r.logging.Keys[content.SessionKey].ARN
	}
	return key, true
}

func (s *Survey) allDocuments(region string) []check.Document {
	return s.Documents(region, slices.Sorted(maps.Keys(s.regions[region].documents)))
}

// Facts are what is known of a node that was asked for. documents are those of
// its region that grants on it allow.
func (s *Survey) Facts(id string, documents []check.Document) *check.Facts {
	n := s.nodes[id]
	r := s.regions[n.region]
	f := &check.Facts{
		Now: s.now,
		Node: check.Node{
			ID: id, Account: s.account, Partition: s.partition, Region: n.region, Agent: n.agent, Connection: n.connection,
		},
		Instance: n.instance, Documents: documents, Logging: r.logging, Tier: r.tier, DefaultRole: r.defaultRole,
	}
	if instance, read := n.instance.Get(); read {
		f.Network, f.Role = r.networks[instance.VPC], r.roles[instance.ProfileARN]
	}
	if n.hybrid() {
		agent, _ := n.agent.Get()
		f.Role = r.roles[agent.Role]
	}
	return f
}
