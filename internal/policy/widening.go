package policy

// Pair is a widening: with the nodes of one grant, IAM also allows documents
// that only another grant of the same principal declares.
type Pair struct {
	// Nodes and Documents are the IDs of the two grants.
	Nodes, Documents string
	// Names are the documents that no grant declares for all of those nodes, sorted.
	Names []string
}

// Widening lists what IAM allows beyond the grants of one principal, because it
// checks the node and the document of a session each by itself. Pass the grants
// that are not expired. At most one pair for each two grants and direction,
// sorted by their IDs.
func Widening(grants []Grant) []Pair { return nil }

// PrefixHazards lists the users, sorted, whose sessions the user name may also
// resume and terminate with scope Username: those named "<name>-…".
func PrefixHazards(name string, users []string) []string { return nil }
