package main

import "strings"

// What a document says for one installation, and every other replaces.
const (
	roleName    = "ssm-access-operator"
	serviceRole = "SSMServiceRole"
	callerARN   = "arn:aws:iam::444455556666:role/ssm-access-operator-pod"
	externalID  = "ssm-access-staging"
)

// names are how a target spells its parameters inside of a string.
type names struct{ partition, role, service, caller, external string }

// parameterize replaces in all strings of a document what differs between installations.
// convert makes a value of each string that has changed.
func (n names) parameterize(document any, convert func(string) any) any {
	replace := strings.NewReplacer(
		callerARN, n.caller,
		"role/"+roleName, "role/"+n.role,
		"role/"+serviceRole, "role/"+n.service,
		"arn:aws:", "arn:"+n.partition+":",
	)
	var walk func(any) any
	walk = func(value any) any {
		switch value := value.(type) {
		case string:
			if value == externalID {
				return convert(n.external)
			}
			if changed := replace.Replace(value); changed != value {
				return convert(changed)
			}
			return value
		case []any:
			list := make([]any, len(value))
			for i := range value {
				list[i] = walk(value[i])
			}
			return list
		case map[string]any:
			object := map[string]any{}
			for key := range value {
				object[key] = walk(value[key])
			}
			return object
		default:
			return value
		}
	}
	return walk(document)
}
