package policy

import (
	"slices"
	"strings"
)

// clientReads are the reads that each client needs; none of them takes a
// resource. The CLI needs none. It gets the one with which people look up an
// instance id, but not ssm:DescribeInstanceInformation, which reveals more
// about the account's nodes than opening a session requires.
var clientReads = map[Client][]string{
	SessionManagerConsole: {"ec2:DescribeInstances", "ssm:DescribeInstanceProperties", "ssm:DescribeSessions", "ssm:GetConnectionStatus"},
	EC2Console:            {"ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:DescribeInstanceProperties", "ssm:DescribeSessions", "ssm:GetConnectionStatus"},
	CLI:                   {"ec2:DescribeInstances"},
}

// group is what can be one statement: all elements that share kind and condition.
type group struct {
	kind statementKind
	// condition is the rendered Condition member with its leading comma, or empty.
	condition string
	elements  []element
	// wrapper is kind.wrapperSize(condition), first the index of the first of the
	// elements among all atoms.
	wrapper, first int
}

// atoms is the content of grants: groups in the order of rendering, each with its
// elements sorted and unique. An atom, the unit that policies are packed from, is
// one element of one group, known by its index over all groups.
type atoms struct {
	groups []group
	// groupOf holds the group of each atom.
	groupOf []int32
}

func (a *atoms) len() int { return len(a.groupOf) }

func (a *atoms) element(atom int) element {
	g := &a.groups[a.groupOf[atom]]
	return g.elements[atom-g.first]
}

// find returns the atom of an element, or -1 when it is not among the atoms.
func (a *atoms) find(kind statementKind, condition string, e element) int {
	g, found := slices.BinarySearchFunc(a.groups, group{kind: kind, condition: condition}, compareGroups)
	if !found {
		return -1
	}
	i, found := slices.BinarySearchFunc(a.groups[g].elements, e, kind.compare)
	if !found {
		return -1
	}
	return a.groups[g].first + i
}

// compareGroups orders by kind, then simpler conditions first.
func compareGroups(x, y group) int {
	if x.kind != y.kind {
		return int(x.kind) - int(y.kind)
	}
	if d := len(x.condition) - len(y.condition); d != 0 {
		return d
	}
	return strings.Compare(x.condition, y.condition)
}

// collector gathers the atoms of the grants of one principal.
type collector struct {
	acct    Account
	kind    Kind
	groups  []group
	index   map[string]int
	regions map[string]regionScopes
	session string
	scratch []byte
}

// regionScopes are ARNs up to the name of the resource.
type regionScopes struct{ instance, managed, document, awsDocument string }

func newScopes(acct Account, region string) regionScopes {
	ssm := "arn:" + acct.Partition + ":ssm:" + region + ":"
	return regionScopes{
		instance:    "arn:" + acct.Partition + ":ec2:" + region + ":" + acct.ID + ":instance/",
		managed:     ssm + acct.ID + ":managed-instance/",
		document:    ssm + acct.ID + ":document/",
		awsDocument: ssm + ":document/",
	}
}

// collect returns the atoms of grants that were checked before.
func collect(acct Account, p Principal, grants []*Grant) *atoms {
	c := &collector{
		acct:    acct,
		kind:    p.Kind,
		index:   make(map[string]int, statementKinds),
		regions: make(map[string]regionScopes, 1),
		session: "arn:" + acct.Partition + ":ssm:*:" + acct.ID + ":session/",
	}
	for _, g := range grants {
		c.add(g)
	}
	return c.finish()
}

func (c *collector) add(g *Grant) {
	tests := grantTests(g)
	plain := c.render(tests)
	if len(g.Clients) > 0 {
		reads := c.group(discover, plain)
		for _, client := range g.Clients {
			for _, action := range clientReads[client] {
				reads.elements = append(reads.elements, element{"", action})
			}
		}
	}
	tests = c.sessionTests(tests)
	plain = c.render(tests)
	c.addStart(g, tests)
	c.addSessions(g, tests, plain)
	for _, d := range g.Documents {
		// A key is of use only where the grant opens sessions.
		if m := keyForm.FindStringSubmatch(d.KMSKeyARN); m != nil && slices.Contains(g.Regions, m[2]) {
			c.put(sessionKey, plain, splitElement(d.KMSKeyARN))
		}
	}
}

// sessionTests are the conditions of the statements that open and use sessions.
// Federated tokens of a user have the permissions of the user and of its groups,
// but no user name, and the owner of their sessions does not name the user: no
// revocation could find them by it.
func (c *collector) sessionTests(tests []test) []test {
	if c.kind == User || c.kind == Group {
		return append(slices.Clip(tests), namedUser)
	}
	return tests
}

// addStart adds the nodes and the documents. Documents do not carry the nodes'
// tags and so never share their condition.
func (c *collector) addStart(g *Grant, tests []test) {
	tests = append(slices.Clip(tests), docCheck)
	plain := c.render(tests)
	onNodes := append(slices.Clone(tests), exclusionTests(g.Excluded)...)
	for _, t := range g.Targets {
		condition := plain
		if len(onNodes) > len(tests) || len(t.Tags) > 0 {
			condition = c.render(append(slices.Clone(onNodes), tagTests(t.Tags)...))
		}
		nodes := c.group(start, condition)
		for _, r := range g.Regions {
			nodes.elements = appendNodes(nodes.elements, c.scopes(r), r, t)
		}
	}
	for _, r := range g.Regions {
		scopes := c.scopes(r)
		for _, d := range g.Documents {
			if inRegion(d.Name, r) {
				c.put(start, plain, scopes.documentElement(d.Name))
			}
		}
	}
}

// appendNodes adds the nodes with the target's ids, or all nodes of the region
// when there are none: then only a condition on tags selects the nodes.
func appendNodes(dst []element, s regionScopes, region string, t Target) []element {
	switch {
	case t.HybridIn == region:
		return append(dst, element{s.managed, "*"})
	case t.HybridIn != "":
		return dst
	case len(t.InstanceIDs) == 0:
		return append(dst, element{s.instance, "*"}, element{s.managed, "*"})
	}
	for _, id := range t.InstanceIDs {
		scope := s.instance
		if hybrid(id) {
			scope = s.managed
		}
		dst = append(dst, element{scope, id})
	}
	return dst
}

// inRegion reports whether a document is in a region: an ARN names its own.
func inRegion(document, region string) bool {
	return !strings.HasPrefix(document, "arn:") || strings.Contains(document, ":ssm:"+region+":")
}

// documentElement is the ARN of a document. AWS keeps names that begin with AWS
// or Amazon for its own documents, whose ARNs have no account.
func (s regionScopes) documentElement(name string) element {
	if strings.HasPrefix(name, "arn:") {
		return splitElement(name)
	}
	if strings.HasPrefix(name, "AWS") || strings.HasPrefix(name, "Amazon") {
		return element{s.awsDocument, name}
	}
	return element{s.document, name}
}

// addSessions adds what the principal may do with sessions once open. Their ids
// begin with the user's name; roles have no ${aws:username}, and the id in
// ${aws:userid} is not what a role's session ids begin with. Whether AWS matches
// the data channel's resource by user name or by user id could not be verified,
// hence both.
func (c *collector) addSessions(g *Grant, tests []test, plain string) {
	byName := (c.kind == User || c.kind == Group) && g.OwnSessions != OwnerTag
	if byName {
		c.put(ownSessions, plain, element{c.session, "${aws:username}-*"})
	} else {
		c.put(ownSessions, c.render(append(slices.Clip(tests), ownerCheck)), element{c.session, "*"})
	}
	if byName && g.DataChannel != DataChannelAccount {
		c.put(dataChannel, plain, element{c.session, "${aws:username}-*"})
		c.put(dataChannel, plain, element{c.session, "${aws:userid}-*"})
	} else {
		c.put(dataChannel, plain, element{c.session, "*"})
	}
}

func (c *collector) put(k statementKind, condition string, e element) {
	g := c.group(k, condition)
	g.elements = append(g.elements, e)
}

// group returns the group of kind and condition. The pointer holds until the next call.
func (c *collector) group(k statementKind, condition string) *group {
	c.scratch = append(append(c.scratch[:0], byte(k)), condition...)
	i, ok := c.index[string(c.scratch)]
	if !ok {
		i = len(c.groups)
		c.index[string(c.scratch)] = i
		c.groups = append(c.groups, group{kind: k, condition: condition, wrapper: k.wrapperSize(condition)})
	}
	return &c.groups[i]
}

// render returns the condition of the tests. Their order is put right; their keys
// cannot clash, for a grant gives each once.
func (c *collector) render(tests []test) string {
	sortTests(tests)
	c.scratch = appendCondition(c.scratch[:0], tests)
	return string(c.scratch)
}

func (c *collector) scopes(region string) regionScopes {
	s, ok := c.regions[region]
	if !ok {
		s = newScopes(c.acct, region)
		c.regions[region] = s
	}
	return s
}

func (c *collector) finish() *atoms {
	slices.SortFunc(c.groups, compareGroups)
	n := 0
	for i := range c.groups {
		g := &c.groups[i]
		slices.SortFunc(g.elements, g.kind.compare)
		g.elements = slices.Compact(g.elements)
		g.first = n
		n += len(g.elements)
	}
	a := &atoms{groups: c.groups, groupOf: make([]int32, 0, n)}
	for i := range c.groups {
		for range c.groups[i].elements {
			a.groupOf = append(a.groupOf, int32(i))
		}
	}
	return a
}
