// Package collect gathers the facts that package check judges, of all nodes of an
// account at once, with as few calls as AWS's interfaces allow.
//
// A node that is connected costs its share of a page of
// ssm:DescribeInstanceInformation. More is read only of nodes that are not, and
// where a session document asks for logs or keys: what its nodes share, such as
// their VPC and their role, is read once for all. A survey of ten thousand nodes
// is bounded: see the constants.
//
// What the operator may not read is a fact that is missing, and names the action
// (reach.Denied). What AWS gives no answer about is missing too (reach.Unread).
// Only when it cannot be told at all which nodes are connected, because AWS gives
// no answer, does a survey fail, for the regions and selections that this is so
// of: see Survey.Failed.
package collect

// The bounds of a survey.
const (
	// MaxSelected nodes are looked at for each set of tags and region.
	MaxSelected = 1000
	// maxAsked nodes are asked one by one whether they are connected.
	maxAsked = 500
	// maxProbed nodes that report are asked too, in turn, and more where some of
	// them are not connected, up to maxAsked: see Memory.
	maxProbed = 10
	// maxFailures in a row and a region is not asked about nodes any further.
	maxFailures = 5
	// maxRoles of nodes are looked at.
	maxRoles = 200
	// maxDocuments are read in each region.
	maxDocuments = 100
	// maxPrefixLists are read for each region.
	maxPrefixLists = 20
)
