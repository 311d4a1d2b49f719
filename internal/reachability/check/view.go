package check

import (
	"cmp"
	"slices"
)

// view is a node's facts with what several checks derive from them.
type view struct {
	*Facts
	link  link
	agent Known[Agent]
	// primary is the interface through which the instance sends; nil when the
	// instance is not known or has none.
	primary *Interface
	// network is never nil.
	network *Network
	logging *Logging
	// way is how the primary interface gets to public addresses.
	way way
	// core are the paths to coreServices.
	core []path
	// documents are sorted by name.
	documents []Document
}

var (
	noNetwork = &Network{}
	noLogging = &Logging{}
)

func newView(f *Facts) *view {
	v := &view{Facts: f, link: connection(f), agent: f.Node.Agent, network: f.Network, logging: f.Logging}
	if v.network == nil {
		v.network = noNetwork
	}
	if v.logging == nil {
		v.logging = noLogging
	}
	v.documents = f.Documents
	if byName := func(a, b Document) int { return cmp.Compare(a.Name, b.Name) }; !slices.IsSortedFunc(v.documents, byName) {
		v.documents = slices.Clone(v.documents)
		slices.SortStableFunc(v.documents, byName)
	}
	if instance, known := f.Instance.Get(); known {
		v.primary = primary(instance.Interfaces)
	}
	if owner := v.sharedBy(); owner != "" {
		v.network = v.participant(owner)
	}
	if v.primary != nil {
		v.way = v.wayOut()
		v.core = v.paths(coreServices)
	}
	return v
}

// primary is the interface with the lowest device index, as operating systems
// choose.
func primary(interfaces []Interface) *Interface {
	var first *Interface
	for i := range interfaces {
		if n := &interfaces[i]; first == nil || n.Device < first.Device || n.Device == first.Device && n.ID < first.ID {
			first = n
		}
	}
	return first
}

// agentVersion is the version of an agent that has reported one.
func (v *view) agentVersion() (Version, bool) {
	agent, known := v.agent.Get()
	if !known || !agent.Registered {
		return Version{}, false
	}
	version, err := ParseVersion(agent.Version)
	return version, err == nil
}
