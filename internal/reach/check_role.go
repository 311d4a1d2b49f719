package reach

import (
	"fmt"
	"slices"
)

// roleTakesTime: what a role allows does not reach its nodes at once.
const roleTakesTime = "The agent notices within half an hour, or at once when it is restarted."

// orManaged makes a failure of the profile's role a warning where default host
// management may stand in for it.
func (v *view) orManaged(c Check) Check {
	role, known := v.DefaultRole.Get()
	if c.Result != Fail || v.Node.Hybrid() || !known || role.Name == "" {
		return c
	}
	c.Remedy += " Default host management may stand in for it."
	return c.as(Warn)
}

// services that may assume the role of a node. The names with a suffix are
// those of the partition in China.
var (
	instanceService = []string{"ec2.amazonaws.com", "ec2.amazonaws.com.cn"}
	hybridService   = []string{"ssm.amazonaws.com", "ssm.amazonaws.com.cn"}
)

// role is whose permissions the agent has: that of the instance profile or, for
// want of one, that of default host management.
func (v *view) role() (role Role, hostManaged bool, missing gaps) {
	if !v.Node.Hybrid() {
		instance, known := need(&missing, v.Instance)
		if !known {
			return Role{}, false, missing
		}
		if instance.ProfileARN == "" {
			role, _ = need(&missing, v.DefaultRole)
			return role, true, missing
		}
	}
	role, _ = need(&missing, v.Role)
	return role, false, missing
}

func roleTrust(v *view) Check {
	role, hostManaged, missing := v.role()
	switch {
	case missing != nil:
		return missing.check(CheckRoleTrust)
	case hostManaged:
		return notNeeded(CheckRoleTrust)
	case role.Name == "" && v.Node.Hybrid():
		return fail(CheckRoleTrust, RoleNotFound,
			fmt.Sprintf("The role that node %s was registered with does not exist.", v.Node.ID),
			"Create the role again under the same name, with AmazonSSMManagedInstanceCore and ssm.amazonaws.com in its trust policy.")
	case role.Name == "":
		missing.notRead()
		return missing.check(CheckRoleTrust)
	}
	trust, known := need(&missing, role.Trust)
	if !known {
		return missing.check(CheckRoleTrust)
	}
	service, keys := instanceService, map[string]string(nil)
	if v.Node.Hybrid() {
		// The account is the only condition that AWS recommends here.
		service, keys = hybridService, map[string]string{"aws:sourceaccount": v.Node.Account}
	}
	statements, err := parsePolicy(trust)
	if err != nil {
		return notUnderstood(CheckRoleTrust, "the trust policy of role "+role.Name)
	}
	return v.orManaged(trusted(&role, service, evaluate(statements, request{action: "sts:AssumeRole", service: service, keys: keys})))
}

func trusted(role *Role, service []string, v verdict) Check {
	remedy := fmt.Sprintf("Let %s assume the role in its trust policy. %s", service[0], roleTakesTime)
	switch v {
	case allows:
		return pass(CheckRoleTrust)
	case denies:
		return fail(CheckRoleTrust, RoleNotTrusted, fmt.Sprintf("The trust policy of role %s does not let %s assume it.", role.Name, service[0]), remedy)
	default:
		return warn(CheckRoleTrust, RoleNotTrusted, fmt.Sprintf("The trust policy of role %s lets %s assume it under conditions only.", role.Name, service[0]), remedy)
	}
}

func rolePermissions(v *view) Check {
	c := v.permissions(CheckRolePermissions, agentPermissions(v.Facts), "Attach AmazonSSMManagedInstanceCore to the role.")
	if _, hostManaged, _ := v.role(); hostManaged {
		return c
	}
	return v.orManaged(c)
}

// sessionPermissions are those on logs and keys that the documents name.
func sessionPermissions(v *view) Check {
	var missing gaps
	for i := range v.documents {
		content, known := need(&missing, v.documents[i].Content)
		if known && content.SessionKey != "" && v.keyARN(content.SessionKey) == "" {
			missing = append(missing, v.key(content.SessionKey).State.Missing())
		}
	}
	agents := agentPermissions(v.Facts)
	needed := slices.DeleteFunc(PermissionsNeeded(v.Facts), func(p Permission) bool { return slices.Contains(agents, p) })
	c := notNeeded(CheckSessionPermissions)
	if len(needed) > 0 {
		c = v.permissions(CheckSessionPermissions, needed, "Allow it in a policy of the role; the session documents ask for it.")
	}
	if missing != nil {
		c = worse(c, missing.check(CheckSessionPermissions))
	}
	return c
}

// permissions judges what the role has to allow.
func (v *view) permissions(name Name, needed []Permission, remedy string) Check {
	role, _, missing := v.role()
	if missing == nil && role.Name == "" {
		missing.notRead()
	}
	if missing != nil {
		return missing.check(name)
	}
	var lacking []string
	for _, p := range needed {
		allowed, known := need(&missing, role.Allowed[p])
		switch {
		case !known || allowed:
		case p.Resource == "*":
			lacking = append(lacking, p.Action)
		default:
			lacking = append(lacking, p.Action+" on "+p.Resource)
		}
	}
	switch {
	case len(lacking) > 0:
		return fail(name, RolePermissionMissing,
			fmt.Sprintf("Role %s of %s does not allow %s.", role.Name, v.Node.ID, list(sortedSet(lacking))),
			remedy+" "+roleTakesTime)
	case missing != nil:
		return missing.check(name)
	default:
		return pass(name)
	}
}
