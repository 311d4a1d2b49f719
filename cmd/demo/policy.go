package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// attachedPolicies reads from IAM what is attached to a user: documents, ready
// to be read by people, by ARN.
func attachedPolicies(ctx context.Context, config aws.Config, user string) (arns []string, documents map[string]string, err error) {
	client := iam.NewFromConfig(config)
	attached, err := client.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &user})
	if err != nil {
		return nil, nil, fmt.Errorf("list what is attached to %s: %w", user, err)
	}
	documents = map[string]string{}
	for _, policy := range attached.AttachedPolicies {
		arn := *policy.PolicyArn
		if documents[arn], err = policyDocument(ctx, client, arn); err != nil {
			return nil, nil, fmt.Errorf("read the policy %s: %w", arn, err)
		}
		arns = append(arns, arn)
	}
	return arns, documents, nil
}

// policyDocument reads the default version of a policy.
func policyDocument(ctx context.Context, client *iam.Client, arn string) (string, error) {
	policy, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return "", err
	}
	version, err := client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: policy.Policy.DefaultVersionId})
	if err != nil {
		return "", err
	}
	// IAM hands documents out in URL encoding.
	text, err := url.PathUnescape(*version.PolicyVersion.Document)
	if err != nil {
		return "", err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(text), "", "  "); err != nil {
		return "", err
	}
	return pretty.String(), nil
}
