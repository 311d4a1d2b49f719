package main

// terraform is a module of one account's role, in Terraform's JSON syntax.
func terraform(p policies) object {
	n := names{
		partition: "${data.aws_partition.current.partition}", role: "${var.role_name}", service: "${var.service_role}",
		caller: "${var.caller_arn}", external: "${var.external_id}",
	}
	documents, variables := object{}, object{
		"role_name":    object{"type": "string", "default": roleName, "description": "Name of the role that the operator assumes."},
		"caller_arn":   object{"type": "string", "description": "ARN of the role of the operator's pod."},
		"external_id":  object{"type": "string", "description": "The externalID of the AWSAccount."},
		"service_role": object{"type": "string", "default": serviceRole, "description": "Name of the role that HybridActivations pass to Systems Manager."},
		"boundary":     object{"type": "bool", "default": true, "description": "Whether the role gets a permissions boundary."},
	}
	document := func(name string) string {
		documents[name] = n.parameterize(p[name], func(text string) any { return text })
		return "${jsonencode(local.documents." + name + ")}"
	}
	inline := object{}
	for _, name := range always {
		inline[name] = object{"name": name, "role": "${aws_iam_role.operator.id}", "policy": document(name)}
	}
	for _, name := range optional {
		variables[name] = object{"type": "bool", "default": true, "description": "Whether to allow what config/iam/" + name + "-policy.json allows."}
		inline[name] = object{
			"count": "${var." + name + " ? 1 : 0}", "name": name, "role": "${aws_iam_role.operator.id}", "policy": document(name),
		}
	}
	return object{
		"//":        "The role that ssm-access-operator assumes. Generated from config/iam by make generate.",
		"terraform": object{"required_providers": object{"aws": object{"source": "hashicorp/aws", "version": ">= 5.0"}}},
		"variable":  variables,
		"data":      object{"aws_partition": object{"current": object{}}},
		"resource": object{
			"aws_iam_policy": object{"boundary": object{
				"count": "${var.boundary ? 1 : 0}", "name": "${var.role_name}-boundary", "policy": document("boundary"),
			}},
			"aws_iam_role": object{"operator": object{
				"name": "${var.role_name}", "assume_role_policy": document("trust"),
				"permissions_boundary": "${var.boundary ? aws_iam_policy.boundary[0].arn : null}",
			}},
			"aws_iam_role_policy": inline,
		},
		"locals": object{"documents": documents},
		"output": object{"role_arn": object{"value": "${aws_iam_role.operator.arn}", "description": "For spec.assumeRole.roleARN of the AWSAccount."}},
	}
}
