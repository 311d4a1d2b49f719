// Package collect collects the facts that package check needs, for all nodes of an
// account at once, with as few calls as the AWS APIs allow.
//
// A connected node costs its share of a page of ssm:DescribeInstanceInformation.
// A survey reads more only about nodes that are not connected, and where a
// session document asks for logs or keys. It reads what nodes share, such as
// their VPC and their role, once for all of them. The constants below bound a
// survey of ten thousand nodes.
//
// A fact that the operator lacks the permission to read is missing, and names the
// action (check.Denied). A fact that AWS gives no answer about is missing too
// (check.Unread). A survey fails only when AWS gives no answer about which nodes
// are connected, and only for the regions and selections that this affects: see
// Survey.Failed.
package collect

// The bounds of a survey.
const (
	// MaxSelected is the most nodes read for each set of tags and region.
	MaxSelected = 1000
	// maxAsked is the most nodes whose connection status is read one by one.
	maxAsked = 500
	// maxProbed is the most reporting nodes whose connection status is read too,
	// in turn. Where some of them are not connected, more are read, up to
	// maxAsked: see Memory.
	maxProbed = 10
	// maxFailures failed reads in a row end the reads about the nodes of a
	// region.
	maxFailures = 5
	// maxRoles is the most node roles that are read.
	maxRoles = 200
	// maxDocuments is the most documents read in each region.
	maxDocuments = 100
	// maxPrefixLists is the most prefix lists read for each region.
	maxPrefixLists = 20
)
