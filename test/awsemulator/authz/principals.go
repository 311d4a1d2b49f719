package authz

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	// principalARN is what a Principal can contain: an account's root, a user, a
	// role, a role session or a federated user session. Wildcards are not
	// allowed.
	principalARN = regexp.MustCompile(`^arn:[a-z-]+:(iam::[0-9]{12}:(root|user/[^*?]+|role/[^*?]+)|sts::[0-9]{12}:(assumed-role/[^*?/]+/[^*?/]+|federated-user/[^*?]+))$`)
	// servicePrincipal is a DNS name such as ssm.amazonaws.com.
	servicePrincipal = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

// principalSet is a Principal or NotPrincipal element.
type principalSet struct {
	everyone bool
	// accounts are bare account ids.
	accounts map[string]bool
	// arns are ARNs of accounts (…:root), users, roles and sessions.
	arns     map[string]bool
	services map[string]bool
}

// parsePrincipals reads a Principal or NotPrincipal element of a trust policy.
func parsePrincipals(n node) (principalSet, error) {
	set := principalSet{accounts: map[string]bool{}, arns: map[string]bool{}, services: map[string]bool{}}
	if n.kind == nodeString && n.text == "*" {
		set.everyone = true
		return set, nil
	}
	if n.kind != nodeObject || len(n.members) == 0 {
		return set, errors.New(`write "*" or an object with AWS, Service or Federated`)
	}
	for _, m := range n.members {
		values, err := m.value.stringList()
		if err != nil {
			return set, fmt.Errorf("%s: %w", m.name, err)
		}
		for _, value := range values {
			if err := set.add(m.name, value); err != nil {
				return set, err
			}
		}
	}
	return set, nil
}

// add puts one principal into the set.
func (s *principalSet) add(kind, value string) error {
	ok := false
	switch kind {
	case "AWS":
		switch {
		case value == "*":
			s.everyone, ok = true, true
		case accountID.MatchString(value):
			s.accounts[value], ok = true, true
		case principalARN.MatchString(value):
			s.arns[value], ok = true, true
		}
	case "Service":
		ok = servicePrincipal.MatchString(value)
		s.services[value] = ok
	case "Federated":
		// Accepted as AWS does; no caller here is federated, so it matches none.
		ok = value != "" && !strings.ContainsAny(value, "*?")
	default:
		return fmt.Errorf("the principal type %q is not known in a trust policy; use AWS, Service or Federated", kind)
	}
	if !ok {
		return fmt.Errorf("%q is not a principal of type %s", value, kind)
	}
	return nil
}

// grant says how closely a set of principals names a caller.
type grant uint8

const (
	// grantNone: the caller is not among them.
	grantNone grant = iota
	// grantAccount: the caller's account is named, which leaves the decision to
	// the policies of that account.
	grantAccount
	// grantRole: the role behind the caller's session is named.
	grantRole
	// grantDirect: the user, the session or the service itself is named, or everyone.
	grantDirect
)

// grant finds the closest way in which the set names the caller.
func (s *principalSet) grant(who identity) grant {
	switch {
	case s.everyone, who.service != "" && s.services[who.service], who.arn != "" && s.arns[who.arn]:
		return grantDirect
	case who.service != "":
		return grantNone
	case who.roleARN != "" && s.arns[who.roleARN]:
		return grantRole
	case s.namesAccount(who):
		return grantAccount
	}
	return grantNone
}

func (s *principalSet) namesAccount(who identity) bool {
	return s.accounts[who.account] || s.arns[who.rootARN()]
}

// exempts reports whether a NotPrincipal spares the caller. AWS may check the
// account, the role and the session one after the other, and its documentation
// says to list them all. A policy that lists fewer risks the denial, so here it
// is denied.
func (s *principalSet) exempts(who identity) bool {
	switch {
	case s.everyone:
		return true
	case who.service != "":
		return s.services[who.service]
	}
	return s.namesAccount(who) && s.arns[who.arn] && (who.roleARN == "" || s.arns[who.roleARN])
}

// identity is a checked [Principal], taken apart.
type identity struct {
	arn, roleARN       string
	partition, account string
	service            string
}

func (i identity) rootARN() string {
	return "arn:" + i.partition + ":iam::" + i.account + ":root"
}

// isRoot reports whether the caller is an account's root user.
func (i identity) isRoot() bool { return i.service == "" && i.arn == i.rootARN() }

var (
	callerUser      = regexp.MustCompile(`^arn:([a-z-]+):iam::([0-9]{12}):(?:root|user/.+)$`)
	callerFederated = regexp.MustCompile(`^arn:([a-z-]+):sts::([0-9]{12}):federated-user/[^/]+$`)
	callerSession   = regexp.MustCompile(`^arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/[^/]+$`)
	callerRole      = regexp.MustCompile(`^arn:([a-z-]+):iam::([0-9]{12}):role/(?:.+/)?([^/]+)$`)
)

// identify checks that a principal is a service, a user, an account's root, a
// federated token or a role session together with its role.
func identify(p Principal) (identity, error) {
	switch {
	case p.Service != "" && p.ARN == "" && p.RoleARN == "":
		return identity{service: p.Service}, nil
	case p.Service != "":
		return identity{}, errors.New("a principal is a service or has an ARN, not both")
	}
	if m := callerUser.FindStringSubmatch(p.ARN); m != nil && p.RoleARN == "" {
		return identity{arn: p.ARN, partition: m[1], account: m[2]}, nil
	}
	if m := callerFederated.FindStringSubmatch(p.ARN); m != nil && p.RoleARN == "" {
		return identity{arn: p.ARN, partition: m[1], account: m[2]}, nil
	}
	session := callerSession.FindStringSubmatch(p.ARN)
	role := callerRole.FindStringSubmatch(p.RoleARN)
	if session == nil || role == nil || session[1] != role[1] || session[2] != role[2] || session[3] != role[3] {
		return identity{}, fmt.Errorf("principal %q (role %q) is neither a user, nor a root user, nor a federated user, nor a role session with the ARN of its role", p.ARN, p.RoleARN)
	}
	return identity{arn: p.ARN, roleARN: p.RoleARN, partition: session[1], account: session[2]}, nil
}
