package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const source = "../../" + directory

// ofRole are the documents of the role in an account, with its trust policy and boundary.
var ofRole = slices.Concat(always, optional, []string{"trust", "boundary"})

func parse(t *testing.T, name string) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(source, name))
	if err != nil {
		t.Fatal(err)
	}
	content := object{}
	if err := json.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	return content
}

// at follows keys and indices.
func at(t *testing.T, value any, path ...string) any {
	t.Helper()
	for _, key := range path {
		inner, ok := value.(object)[key]
		if !ok {
			t.Fatalf("there is no %s of %v", key, path)
		}
		value = inner
	}
	return value
}

// same compares what a target declares, with the parameters of the documents themselves,
// with the documents.
func same(t *testing.T, target string, declared map[string]any) {
	t.Helper()
	if names := slices.Sorted(maps.Keys(declared)); !slices.Equal(names, slices.Sorted(slices.Values(ofRole))) {
		t.Errorf("%s has the documents %v", target, names)
	}
	for name, document := range declared {
		if want := parse(t, name+"-policy.json"); !reflect.DeepEqual(document, any(want)) {
			t.Errorf("%s has for %s\n%v\nand not\n%v", target, name, document, want)
		}
	}
}

// resolve replaces parameters in all strings, and in what only wraps a string.
func resolve(value any, parameters *strings.Replacer) any {
	switch value := value.(type) {
	case string:
		return parameters.Replace(value)
	case []any:
		for i := range value {
			value[i] = resolve(value[i], parameters)
		}
		return value
	case object:
		if text, ok := value["Fn::Sub"].(string); ok {
			return parameters.Replace(text)
		}
		for key := range value {
			value[key] = resolve(value[key], parameters)
		}
		return value
	default:
		return value
	}
}

func TestCloudFormationDeclaresTheDocuments(t *testing.T) {
	t.Parallel()
	template := parse(t, "cloudformation.json")
	role := at(t, template, "Resources", "Role", "Properties")
	declared := map[string]any{
		"trust":    at(t, role, "AssumeRolePolicyDocument"),
		"boundary": at(t, template, "Resources", "BoundaryPolicy", "Properties", "PolicyDocument"),
	}
	inline, ok := at(t, role, "Policies").([]any)
	if !ok {
		t.Fatal("the role has no policies")
	}
	for _, policy := range inline {
		if branches, ok := policy.(object)["Fn::If"].([]any); ok {
			policy = branches[1]
		}
		name, ok := at(t, policy, "PolicyName").(string)
		if !ok {
			t.Fatal("a policy has no name")
		}
		declared[name] = at(t, policy, "PolicyDocument")
	}
	parameters := strings.NewReplacer("${AWS::Partition}", "aws", "${RoleName}", roleName, "${ServiceRole}", serviceRole, "${CallerARN}", callerARN, "${ExternalID}", externalID)
	for name := range declared {
		declared[name] = resolve(declared[name], parameters)
	}
	same(t, "the template", declared)
}

func TestTerraformDeclaresTheDocuments(t *testing.T) {
	t.Parallel()
	module := parse(t, filepath.Join("terraform", "main.tf.json"))
	resources := at(t, module, "resource")
	used := map[string]any{
		"trust":    at(t, resources, "aws_iam_role", "operator", "assume_role_policy"),
		"boundary": at(t, resources, "aws_iam_policy", "boundary", "policy"),
	}
	inline, ok := at(t, resources, "aws_iam_role_policy").(object)
	if !ok {
		t.Fatal("the module has no policies")
	}
	for name, policy := range inline {
		used[name] = at(t, policy, "policy")
	}
	parameters := strings.NewReplacer("${data.aws_partition.current.partition}", "aws", "${var.role_name}", roleName,
		"${var.service_role}", serviceRole, "${var.caller_arn}", callerARN, "${var.external_id}", externalID)
	declared := map[string]any{}
	for name, expression := range used {
		if expression != "${jsonencode(local.documents."+name+")}" {
			t.Errorf("%s is %v", name, expression)
		}
		declared[name] = resolve(at(t, module, "locals", "documents", name), parameters)
	}
	same(t, "the module", declared)
}

// TestTheExampleIsInTheDocuments fails where a document no longer says what the parameters
// replace: it would then be the same in every installation.
func TestTheExampleIsInTheDocuments(t *testing.T) {
	t.Parallel()
	for text, file := range map[string]string{
		callerARN: "trust-policy.json", externalID: "trust-policy.json",
		"role/" + roleName: "operator-policy.json", "role/" + serviceRole: "activations-policy.json",
	} {
		content, err := os.ReadFile(filepath.Join(source, file))
		if err != nil || !strings.Contains(string(content), text) {
			t.Errorf("%s does not hold %s: %v", file, text, err)
		}
	}
}
