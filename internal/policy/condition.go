package policy

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// timeForm is how IAM's date operators want a time: RFC 3339 in UTC.
const timeForm = "2006-01-02T15:04:05Z"

const (
	opBool         = "Bool"
	opBoolIfExists = "BoolIfExists"
	opAfter        = "DateGreaterThan"
	opBefore       = "DateLessThan"
	opAddress      = "IpAddress"
	opNull         = "Null"
	opEquals       = "StringEquals"

	keyMFA         = "aws:MultiFactorAuthPresent"
	keyTime        = "aws:CurrentTime"
	keySource      = "aws:SourceIp"
	keyUsername    = "aws:username"
	keyDocCheck    = "ssm:SessionDocumentAccessCheck"
	keyResourceTag = "ssm:resourceTag/"
	// keyOwner is the tag with which AWS marks who opened a session.
	keyOwner = keyResourceTag + "aws:ssmmessages:session-id"
)

var yes = []string{"true"}

var (
	// docCheck makes IAM check the document too when the request names none.
	docCheck = test{opBoolIfExists, keyDocCheck, yes}
	// ownerCheck holds for sessions that the caller opened. That the tag of an IAM
	// user's session holds the user's id, as ${aws:userid} does, is documented and
	// could not be tried.
	ownerCheck = test{opEquals, keyOwner, []string{"${aws:userid}"}}
	// namedUser holds for an IAM user, with its own keys or a session token. The
	// key is absent for a token of GetFederationToken: documented, could not be
	// tried.
	namedUser = test{opNull, keyUsername, []string{"false"}}
)

// test is one entry of a Condition element. The values are as IAM reads them,
// with variables, before JSON.
type test struct {
	op, key string
	values  []string
}

// grantTests are the conditions of the grant, which every statement carries.
// Fractions of seconds are cut on the narrower side.
func grantTests(g *Grant) []test {
	var tests []test
	if g.RequireMFA {
		tests = append(tests, test{opBool, keyMFA, yes})
	}
	if !g.NotBefore.IsZero() {
		begin := g.NotBefore.UTC().Truncate(time.Second)
		if begin.Before(g.NotBefore) {
			begin = begin.Add(time.Second)
		}
		tests = append(tests, test{opAfter, keyTime, []string{begin.Format(timeForm)}})
	}
	if !g.NotAfter.IsZero() {
		tests = append(tests, test{opBefore, keyTime, []string{g.NotAfter.UTC().Truncate(time.Second).Format(timeForm)}})
	}
	if len(g.SourceCIDRs) > 0 {
		tests = append(tests, test{opAddress, keySource, sources(g.SourceCIDRs)})
	}
	return tests
}

// tagTests hold for resources that carry all the tags.
func tagTests(tags map[string]string) []test {
	var tests []test
	for _, k := range sortedKeys(tags) {
		tests = append(tests, test{opEquals, keyResourceTag + k, []string{literal(tags[k])}})
	}
	return tests
}

// sources brings ranges of addresses into one spelling and order. They were
// checked before.
func sources(cidrs []string) []string {
	var out []string
	for _, s := range cidrs {
		if p, err := parseSource(s); err == nil {
			out = append(out, p.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func parseSource(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%s is an IPv4 range written as IPv6", s)
	}
	return p.Masked(), nil
}

// appendCondition writes sorted tests as the Condition member of a statement
// with its leading comma, or nothing when there are none.
func appendCondition(dst []byte, tests []test) []byte {
	if len(tests) == 0 {
		return dst
	}
	dst = append(dst, `,"Condition":{`...)
	for i, t := range tests {
		if i > 0 && tests[i-1].op == t.op {
			dst = append(dst, ',')
		} else {
			if i > 0 {
				dst = append(dst, '}', ',')
			}
			dst = append(appendString(dst, t.op), ':', '{')
		}
		dst = append(appendString(dst, t.key), ':')
		dst = appendStrings(dst, t.values)
	}
	return append(dst, '}', '}')
}

// appendStrings writes one string alone and several as a list.
func appendStrings(dst []byte, values []string) []byte {
	if len(values) == 1 {
		return appendString(dst, values[0])
	}
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v)
	}
	return append(dst, ']')
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// sortTests brings tests into the order in which they are rendered.
func sortTests(tests []test) {
	slices.SortFunc(tests, func(a, b test) int {
		return cmp.Or(strings.Compare(a.op, b.op), strings.Compare(a.key, b.key))
	})
}
