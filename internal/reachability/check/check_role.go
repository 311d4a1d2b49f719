package check

import (
	"fmt"
	"slices"
)

// roleTakesTime: what a role allows does not reach its nodes at once.
const roleTakesTime = "The agent notices within half an hour, or at once when it is restarted."

// orManaged makes a failure of the profile's role a warning where default host
// management may replace it, or where it is not known whether it is on.
func (v *view) orManaged(c Check) Check {
	var missing gaps
	role, known := need(&missing, v.DefaultRole)
	switch {
	case c.Result != Fail || v.Node.Hybrid() || c.Reason == DeniedByOrganization: // That holds for every role of the account.
		return c
	case !known:
		c.Missing = missing.check(c.Name).Missing
		c.Remedy += " Default host management may stand in for it; whether it is on was not read."
	case role.Name == "" || role.Missing:
		return c
	default:
		c.Remedy += " Default host management may stand in for it."
		if instance, read := v.Instance.Get(); read && instance.Metadata.Tokens != tokensRequired {
			c.Remedy += " It needs version 2 of the metadata service, and the instance still allows version 1: " + requireTokens
		}
	}
	return c.as(Warn)
}

// services that may assume the role of a node: of an instance with a profile, and
// of any other. The names with a suffix are those of the partition in China.
var (
	instanceService = []string{"ec2.amazonaws.com", "ec2.amazonaws.com.cn"}
	systemsManager  = []string{"ssm.amazonaws.com", "ssm.amazonaws.com.cn"}
)

// role is whose permissions the agent has: that of the instance profile or,
// without one, that of default host management.
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
	case hostManaged && role.Missing && role.Managed:
		return fail(CheckRoleTrust, DefaultRoleNotFound,
			fmt.Sprintf("Default host management of %s gives instances role %s, which does not exist, and %s has no instance profile.", v.Node.Region, role.Name, v.Node.ID),
			"Have AWS make the role again with aws ssm register-default-host-management-configuration --permission-model SERVICE_MANAGED --overwrite, or attach an instance profile.")
	case hostManaged && role.Managed:
		return pass(CheckRoleTrust)
	case hostManaged && role.Missing:
		return fail(CheckRoleTrust, DefaultRoleNotFound,
			fmt.Sprintf("Default host management of %s gives instances role %s, which does not exist, and %s has no instance profile.", v.Node.Region, role.Name, v.Node.ID),
			"Create the role again, with AmazonSSMManagedEC2InstanceDefaultPolicy and ssm.amazonaws.com in its trust policy, name another one in the setting, or attach an instance profile.")
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
	statements, err := parsePolicy(trust)
	if err != nil {
		return notUnderstood(CheckRoleTrust, "the trust policy of role "+role.Name)
	}
	if hostManaged || v.Node.Hybrid() {
		return trusted(&role, systemsManager, v.letsSystemsManager(statements))
	}
	return v.orManaged(trusted(&role, instanceService, evaluate(statements, request{action: "sts:AssumeRole", service: instanceService})))
}

// letsSystemsManager is whether a trust policy lets Systems Manager assume the
// role. The account and the region's ARN are the conditions that AWS recommends.
func (v *view) letsSystemsManager(statements []statement) verdict {
	r := request{action: "sts:AssumeRole", service: systemsManager, keys: map[string]string{"aws:sourceaccount": v.Node.Account}}
	result := evaluate(statements, r)
	if result == unclear {
		// It could not be tried which resource the ARN names, so that it is taken
		// for a reason to trust only.
		r.keys["aws:sourcearn"] = v.arn("ssm", v.Node.Region, v.Node.Account, "managed-instance/"+v.Node.ID)
		result = max(result, evaluate(statements, r))
	}
	return result
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
	role, hostManaged, missing := v.role()
	c := v.permissions(CheckRolePermissions, &role, missing, agentPermissions(v.Facts), "Attach AmazonSSMManagedInstanceCore to the role.")
	if hostManaged {
		return c
	}
	return v.orManaged(c)
}

// sessionRole is whose permissions sessions have, and whether that is certain.
func (v *view) sessionRole() (role Role, certain bool, missing gaps) {
	role, hostManaged, missing := v.role()
	if missing != nil || hostManaged || v.Node.Hybrid() {
		return role, true, missing
	}
	if Substituted(v.Facts) {
		role, _ = need(&missing, v.DefaultRole)
		return role, true, missing
	}
	_, known := v.mayReport(&role)
	return role, v.link == linkUp && known, nil
}

// sessionPermissions are those on logs and keys that the documents name.
func sessionPermissions(v *view) Check {
	var missing gaps
	keys := pass(CheckSessionPermissions)
	for i := range v.documents {
		content, known := need(&missing, v.documents[i].Content)
		if known && content.SessionKey != "" && v.keyARN(content.SessionKey) == "" {
			keys = worse(keys, v.unreadKey(CheckSessionPermissions, content.SessionKey))
		}
	}
	agents := agentPermissions(v.Facts)
	needed := slices.DeleteFunc(PermissionsNeeded(v.Facts), func(p Permission) bool { return slices.Contains(agents, p) })
	c := notNeeded(CheckSessionPermissions)
	if len(needed) > 0 {
		role, certain, unread := v.sessionRole()
		c = v.permissions(CheckSessionPermissions, &role, unread, needed, "Allow it in a policy of the role; the session documents ask for it.")
		if !certain {
			c = v.orManaged(c)
		}
	}
	if missing != nil {
		c = worse(c, missing.check(CheckSessionPermissions))
	}
	return worse(c, keys)
}

// permissions judges what a role, where nothing is missing of it, has to allow.
func (v *view) permissions(name Name, role *Role, missing gaps, needed []Permission, remedy string) Check {
	if missing == nil && (role.Name == "" || role.Missing) {
		missing.notRead()
	}
	if missing != nil {
		return missing.check(name)
	}
	if role.Managed && name == CheckRolePermissions {
		return pass(name)
	}
	var lacking, capped, conditional, keys []string
	for _, p := range needed {
		if conditions := role.Conditional[p]; len(conditions) > 0 {
			conditional, keys = append(conditional, p.String()), append(keys, conditions...)
			continue
		}
		allowed, known := need(&missing, role.Allowed[p])
		switch {
		case !known || allowed:
		case role.Capped[p]:
			capped = append(capped, p.String())
		default:
			lacking = append(lacking, p.String())
		}
	}
	switch {
	case len(capped) > 0:
		return fail(name, DeniedByOrganization,
			fmt.Sprintf("A service control policy of the organisation does not allow role %s of %s %s.", role.Name, v.Node.ID, list(sortedSet(capped))),
			"Have the administrators of the organisation allow it in the account and region.")
	case len(lacking) > 0:
		return fail(name, RolePermissionMissing,
			fmt.Sprintf("Role %s of %s does not allow %s.", role.Name, v.Node.ID, list(sortedSet(lacking))),
			remedy+" "+roleTakesTime)
	case len(conditional) > 0:
		return warn(name, RolePermissionConditional,
			fmt.Sprintf("Role %s of %s allows %s on conditions at most, which only calls from the node meet: %s.",
				role.Name, v.Node.ID, list(sortedSet(conditional)), list(sortedSet(keys))),
			"See that the node meets the conditions, or take them off.")
	case missing != nil:
		return missing.check(name)
	default:
		return pass(name)
	}
}

// String names a permission in a message.
func (p Permission) String() string {
	if p.Resource == "*" {
		return p.Action
	}
	return p.Action + " on " + p.Resource
}
