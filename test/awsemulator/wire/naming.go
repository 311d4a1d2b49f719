package wire

import (
	"net/http"
	"reflect"
)

// Dialect is a flavour of the query protocol: how a service names members and
// wraps lists on the wire.
type Dialect struct {
	// Namespace is the XML namespace of the answers.
	Namespace string
	// itemName is the element around each entry of a list in an answer.
	itemName string
	// flatLists means that request lists are Name.1 instead of Name.member.1.
	flatLists bool
	// ec2Errors selects EC2's own form of the error document and of the root.
	ec2 bool
	// bareErrors selects S3's form of the error document, namedErrors one whose root
	// is the error's code.
	bareErrors, namedErrors bool
	// inName and outName give a member's name on the wire.
	inName, outName func(shape reflect.Type, member string) string
}

func sameName(_ reflect.Type, member string) string { return member }

// IAM is the query protocol as IAM speaks it.
var IAM = &Dialect{
	Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	itemName:  "member", inName: sameName, outName: sameName,
}

// STS is the query protocol as STS speaks it.
var STS = &Dialect{
	Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
	itemName:  "member", inName: sameName, outName: sameName,
}

// EC2 is the query protocol as EC2 speaks it, with lower camel case elements
// and flat lists.
var EC2 = &Dialect{
	Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
	itemName:  "item", flatLists: true, ec2: true,
	inName: ec2InName, outName: ec2OutName,
}

// S3 is S3's own protocol, as far as parameters and errors go. Its answers are
// Raw.
var S3 = &Dialect{
	Namespace: "http://s3.amazonaws.com/doc/2006-03-01/",
	flatLists: true, bareErrors: true, inName: sameName, outName: sameName,
}

// Messages is the protocol of the channels of Session Manager. Its answers are Raw. Agents
// search the text of an error for <AccessDeniedException>.
var Messages = &Dialect{flatLists: true, namedErrors: true, inName: sameName, outName: sameName}

// Upgrade is an answer after which the connection is no longer HTTP.
type Upgrade struct {
	Serve func(http.ResponseWriter, *http.Request)
}

// Raw is an answer that is written as it is.
type Raw struct {
	// Status is 200 where it is 0.
	Status      int
	Header      map[string]string
	ContentType string
	Body        []byte
}
