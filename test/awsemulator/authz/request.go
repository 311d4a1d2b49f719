package authz

import (
	"slices"
	"strings"
)

// Request is one question: may the caller do this action on this resource, in
// these circumstances. An API call that touches several resources (StartSession
// touches a node and a document) is one Request for each of them.
type Request struct {
	// Action is "service:Name", as in "ssm:StartSession". Its case does not matter.
	Action string
	// Resource is the ARN of the one resource asked about, or "*" for an action
	// that takes no resource: then only a Resource of "*" matches.
	Resource string
	// Context holds the condition keys that AWS would supply with the request,
	// the caller's own (aws:username, aws:userid, aws:PrincipalArn, …) among them.
	Context Context
}

// Context is the condition context of a request: condition key to one or more
// values, all as strings in the form in which AWS documents them (dates in
// ISO 8601, booleans as "true" or "false", binary as base64). Keys are
// case-insensitive as a whole, the tag key in "aws:ResourceTag/Env" included.
// The zero value is an empty context ready for use.
type Context struct {
	values map[string][]string
}

// NewContext builds a context from pairs of key and values.
func NewContext(values map[string][]string) Context {
	var c Context
	for key, v := range values {
		c.Set(key, v...)
	}
	return c
}

// Set gives the key these values and forgets those it had. A key without
// values is absent.
func (c *Context) Set(key string, values ...string) {
	key = strings.ToLower(key)
	if len(values) == 0 {
		delete(c.values, key)
		return
	}
	if c.values == nil {
		c.values = map[string][]string{}
	}
	c.values[key] = slices.Clone(values)
}

// Values returns the key's values, none when it is absent. They are not to be
// changed.
func (c Context) Values(key string) []string { return c.values[strings.ToLower(key)] }

// Clone returns a copy that can be changed by itself: keep one context for a
// caller, clone it for each resource and set that resource's tags.
func (c Context) Clone() Context {
	var out Context
	for key, v := range c.values {
		out.Set(key, v...)
	}
	return out
}
