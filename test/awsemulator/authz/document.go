package authz

import (
	"errors"
	"fmt"
)

// Versions of the policy language.
const (
	// VersionCurrent has policy variables. CreatePolicy and CreatePolicyVersion
	// accept managed policies of this version only.
	VersionCurrent = "2012-10-17"
	// VersionOld is what a document without Version has. Nothing in it is a
	// variable: "${aws:username}" is those characters.
	VersionOld = "2008-10-17"
)

// Document is a parsed and compiled policy document. It is immutable and safe
// for concurrent use.
type Document struct {
	// Version is [VersionCurrent] or [VersionOld].
	Version string
	// ID is the Id element, or empty.
	ID string

	grammar    grammar
	statements []statement
}

// ParseError says what is wrong with a policy document. AWS answers such a
// document with MalformedPolicyDocument.
type ParseError struct {
	// Path leads to the offending element, as in "Statement[0].Condition";
	// empty when the whole document is meant.
	Path string
	// Reason is what is wrong and what would be right.
	Reason string
}

// Error is "path: reason".
func (e *ParseError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// wrap puts a path to an error; nil stays nil.
func wrap(path string, err error) error {
	if err == nil {
		return nil
	}
	return &ParseError{Path: path, Reason: err.Error()}
}

// Parse reads a policy document that is attached to, or bounds, an identity:
// managed and inline policies, permissions boundaries and session policies. It
// rejects Principal and NotPrincipal, and whatever else IAM would reject at
// CreatePolicy; in these it is stricter than IAM, because IAM would take what
// then never does what it says:
//   - condition keys and policy variables that the package does not know,
//   - an operator of another type than its key, such as DateLessThan with
//     aws:SourceIp,
//   - a multivalued key without ForAllValues or ForAnyValue,
//   - an empty list of condition values.
//
// A rejection is a *[ParseError].
//
// Neither size nor, for managed policies, the version is its concern: compare
// [MinifiedSize] with the quota and Version with [VersionCurrent].
func Parse(raw []byte) (*Document, error) { return parse(raw, identityGrammar) }

// ParseTrust reads the trust policy of a role (AssumeRolePolicyDocument):
// Principal is required, Resource is not allowed, and the actions are those of
// STS that assume or tag a role session, written out. Whether the principals
// exist is not its concern. A rejection is a *[ParseError].
func ParseTrust(raw []byte) (*Document, error) { return parse(raw, trustGrammar) }

// ParseResource reads the policy of a resource, such as that of a key, a bucket
// or a VPC endpoint: Principal and Resource are required, and a statement id
// may be of any characters. A rejection is a *[ParseError].
func ParseResource(raw []byte) (*Document, error) { return parse(raw, resourceGrammar) }

func parse(raw []byte, g grammar) (*Document, error) {
	root, err := decodeJSON(raw)
	if err != nil {
		return nil, wrap("", err)
	}
	if root.kind != nodeObject {
		return nil, wrap("", errors.New("a policy document is a JSON object"))
	}
	doc := &Document{Version: VersionOld, grammar: g}
	var statements *node
	for _, m := range root.members {
		switch m.name {
		case "Version":
			if m.value.kind != nodeString || (m.value.text != VersionCurrent && m.value.text != VersionOld) {
				return nil, wrap(m.name, fmt.Errorf("the version is %q or %q", VersionCurrent, VersionOld))
			}
			doc.Version = m.value.text
		case "Id":
			// The grammar page says that policies of identities have none; IAM
			// itself takes it.
			if m.value.kind != nodeString {
				return nil, wrap(m.name, errors.New("the id is a string"))
			}
			doc.ID = m.value.text
		case "Statement":
			statements = &m.value
		default:
			return nil, wrap(m.name, errors.New("the element is not known"))
		}
	}
	if statements == nil {
		return nil, wrap("", errors.New("the element Statement is missing"))
	}
	if err := doc.parseStatements(*statements); err != nil {
		return nil, err
	}
	return doc, nil
}

// parseStatements reads the Statement element, an object or a list of them.
func (d *Document) parseStatements(n node) error {
	nodes := []node{n}
	if n.kind == nodeArray {
		nodes = n.items
	}
	if len(nodes) == 0 {
		return wrap("Statement", errors.New("a policy has at least one statement"))
	}
	sids := map[string]bool{}
	for i, n := range nodes {
		path := fmt.Sprintf("Statement[%d]", i)
		s, err := parseStatement(path, n, d.grammar, d.Version == VersionCurrent)
		if err != nil {
			return err
		}
		if s.sid != "" && sids[s.sid] {
			return wrap(path+".Sid", fmt.Errorf("the statement id %q is given twice", s.sid))
		}
		sids[s.sid] = true
		d.statements = append(d.statements, s)
	}
	return nil
}

// ConditionKeys are the keys that the document's conditions name, in lower case.
func (d *Document) ConditionKeys() []string {
	var keys []string
	for i := range d.statements {
		for j := range d.statements[i].conditions {
			keys = append(keys, d.statements[i].conditions[j].key)
		}
	}
	return keys
}
