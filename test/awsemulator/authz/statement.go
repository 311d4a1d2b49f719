package authz

import (
	"fmt"
	"regexp"
	"strings"
)

// grammar is the kind of document that is parsed.
type grammar uint8

const (
	identityGrammar grammar = iota
	trustGrammar
	resourceGrammar
)

// statement is one compiled statement.
type statement struct {
	sid  string
	deny bool

	notAction bool
	actions   []glob

	// resources is empty in a trust policy, which is about its role.
	notResource bool
	resources   []template

	// principals is used in a policy of a role's trust or of a resource.
	notPrincipal bool
	principals   principalSet

	conditions []condition
}

// sidForm is IAM's own; other services take more, as in a key's "Enable IAM
// User Permissions".
var sidForm = regexp.MustCompile(`^[A-Za-z0-9]*$`)

// trustActions are what a trust policy can allow or deny, lower case.
var trustActions = set(
	"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
	"sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession",
)

// statementParser reads one statement, noting which elements it has met.
type statementParser struct {
	path      string
	grammar   grammar
	variables bool
	met       map[string]bool
	out       statement
}

// parseStatement reads one statement.
func parseStatement(path string, n node, g grammar, variables bool) (statement, error) {
	if n.kind != nodeObject {
		return statement{}, &ParseError{path, "a statement is an object"}
	}
	p := statementParser{path: path, grammar: g, variables: variables, met: map[string]bool{}}
	for _, m := range n.members {
		if err := p.element(m); err != nil {
			return statement{}, err
		}
		p.met[m.name] = true
	}
	return p.out, p.checkElements()
}

// element reads one element of the statement.
func (p *statementParser) element(m member) error {
	path := p.path + "." + m.name
	switch m.name {
	case "Sid":
		if m.value.kind != nodeString || (p.grammar != resourceGrammar && !sidForm.MatchString(m.value.text)) {
			return &ParseError{path, "a statement id is a string of letters and digits"}
		}
		p.out.sid = m.value.text
		return nil
	case "Effect":
		if m.value.kind != nodeString || (m.value.text != "Allow" && m.value.text != "Deny") {
			return &ParseError{path, "the effect is Allow or Deny"}
		}
		p.out.deny = m.value.text == "Deny"
		return nil
	case "Action", "NotAction":
		p.out.notAction = m.name == "NotAction"
		return p.list(path, m.value, p.addAction)
	case "Resource", "NotResource":
		if p.grammar == trustGrammar {
			return &ParseError{path, "a trust policy has no resource: it is about its role"}
		}
		p.out.notResource = m.name == "NotResource"
		return p.list(path, m.value, p.addResource)
	case "Principal", "NotPrincipal":
		if p.grammar == identityGrammar {
			return &ParseError{path, "a policy of an identity does not name principals: it is about whom it is attached to"}
		}
		p.out.notPrincipal = m.name == "NotPrincipal"
		return wrap(path, p.setPrincipals(m.value))
	case "Condition":
		conditions, err := parseConditions(path, m.value, p.variables)
		p.out.conditions = conditions
		return err
	}
	return &ParseError{path, "the element is not known"}
}

// list reads a string or a list of strings.
func (p *statementParser) list(path string, n node, add func(string) error) error {
	values, err := n.stringList()
	if err != nil {
		return wrap(path, err)
	}
	for _, value := range values {
		if err := add(value); err != nil {
			return wrap(path, err)
		}
	}
	return nil
}

func (p *statementParser) addAction(s string) error {
	if p.grammar == trustGrammar && !trustActions[strings.ToLower(s)] {
		return fmt.Errorf("%q: a trust policy is about sts:AssumeRole, sts:TagSession and their kin only", s)
	}
	action, err := parseAction(s)
	p.out.actions = append(p.out.actions, action)
	return err
}

func (p *statementParser) addResource(s string) error {
	resource, err := parseResource(s, p.variables)
	p.out.resources = append(p.out.resources, resource)
	return err
}

func (p *statementParser) setPrincipals(n node) (err error) {
	p.out.principals, err = parsePrincipals(n)
	return err
}

// checkElements finds what is missing and what does not go together.
func (p *statementParser) checkElements() error {
	exactlyOne := [][2]string{{"Action", "NotAction"}}
	if p.grammar != identityGrammar {
		exactlyOne = append(exactlyOne, [2]string{"Principal", "NotPrincipal"})
	}
	if p.grammar != trustGrammar {
		exactlyOne = append(exactlyOne, [2]string{"Resource", "NotResource"})
	}
	switch {
	case !p.met["Effect"]:
		return &ParseError{p.path, "Effect is missing"}
	case p.grammar == trustGrammar && p.out.notAction:
		return &ParseError{p.path, "a trust policy names its actions: use Action"}
	case p.out.notPrincipal && !p.out.deny:
		return &ParseError{p.path, "NotPrincipal goes with Deny only: with Allow it would let everyone else in"}
	}
	for _, pair := range exactlyOne {
		if p.met[pair[0]] == p.met[pair[1]] {
			return &ParseError{p.path, fmt.Sprintf("a statement has either %s or %s", pair[0], pair[1])}
		}
	}
	return nil
}

// applies reports whether the statement is about the request, principals aside.
func (s *statement) applies(q *query) bool {
	return s.coversAction(q.action) && s.coversResource(q) && s.conditionsHold(q.context)
}

func (s *statement) coversAction(action string) bool {
	for _, a := range s.actions {
		if a.match(action) {
			return !s.notAction
		}
	}
	return s.notAction
}

// coversResource: a resource with a variable that has no value equals no
// resource. In Resource it therefore covers nothing, in NotResource it spares
// nothing.
func (s *statement) coversResource(q *query) bool {
	if len(s.resources) == 0 {
		return true
	}
	for _, r := range s.resources {
		if r.matches(q.resource, q.context) {
			return !s.notResource
		}
	}
	return s.notResource
}

func (s *statement) conditionsHold(c *Context) bool {
	for i := range s.conditions {
		if !s.conditions[i].holds(c) {
			return false
		}
	}
	return true
}
