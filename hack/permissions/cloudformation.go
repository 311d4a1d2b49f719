package main

import "strings"

type object = map[string]any

// cloudFormation is a template of one account's role, for a stack or a StackSet.
func cloudFormation(p policies) object {
	n := names{partition: "${AWS::Partition}", role: "${RoleName}", service: "${ServiceRole}", caller: "${CallerARN}", external: "${ExternalID}"}
	document := func(name string) any {
		return n.parameterize(p[name], func(text string) any { return object{"Fn::Sub": text} })
	}
	parameters := object{
		"RoleName":    object{"Type": "String", "Default": roleName, "Description": "Name of the role that the operator assumes."},
		"CallerARN":   object{"Type": "String", "Description": "ARN of the role of the operator's pod."},
		"ExternalID":  object{"Type": "String", "Description": "The externalID of the AWSAccount."},
		"ServiceRole": object{"Type": "String", "Default": serviceRole, "Description": "Name of the role that HybridActivations pass to Systems Manager."},
		"Boundary":    toggle("Whether the role gets a permissions boundary."),
	}
	conditions := object{"WithBoundary": isTrue("Boundary")}
	var inline []any
	for _, name := range always {
		inline = append(inline, object{"PolicyName": name, "PolicyDocument": document(name)})
	}
	for _, name := range optional {
		parameter := strings.ToUpper(name[:1]) + name[1:]
		parameters[parameter] = toggle("Whether to allow what config/iam/" + name + "-policy.json allows.")
		conditions["With"+parameter] = isTrue(parameter)
		inline = append(inline, object{"Fn::If": []any{
			"With" + parameter, object{"PolicyName": name, "PolicyDocument": document(name)}, object{"Ref": "AWS::NoValue"},
		}})
	}
	return object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The role that ssm-access-operator assumes. Generated from config/iam by make generate.",
		"Parameters":               parameters,
		"Conditions":               conditions,
		"Resources": object{
			"BoundaryPolicy": object{"Type": "AWS::IAM::ManagedPolicy", "Condition": "WithBoundary", "Properties": object{
				"ManagedPolicyName": object{"Fn::Sub": "${RoleName}-boundary"},
				"PolicyDocument":    document("boundary"),
			}},
			"Role": object{"Type": "AWS::IAM::Role", "Properties": object{
				"RoleName":                 object{"Ref": "RoleName"},
				"AssumeRolePolicyDocument": document("trust"),
				"PermissionsBoundary":      object{"Fn::If": []any{"WithBoundary", object{"Ref": "BoundaryPolicy"}, object{"Ref": "AWS::NoValue"}}},
				"Policies":                 inline,
			}},
		},
		"Outputs": object{"RoleARN": object{"Description": "For spec.assumeRole.roleARN of the AWSAccount.", "Value": object{"Fn::GetAtt": []any{"Role", "Arn"}}}},
	}
}

func toggle(description string) object {
	return object{"Type": "String", "AllowedValues": []any{"true", "false"}, "Default": "true", "Description": description}
}

func isTrue(parameter string) object {
	return object{"Fn::Equals": []any{object{"Ref": parameter}, "true"}}
}
