package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// ourPath is where the operator's policies are.
const ourPath = "/ssm-access/"

// account counts what was declared and is in AWS.
type account struct {
	policies, documents, activations, nodes int
	tier                                    string
}

// empty is an account in which nothing is left.
var empty = account{tier: "standard"}

// leave deletes everything, and shows that nothing is left in the account.
func (s *stage) leave(ctx context.Context) error {
	s.say("Everything is deleted.")
	for _, args := range [][]string{
		{"delete", "sessionaccess,sessiondocument,hybridactivation", "--all", "-n", namespace, "--wait=false"},
		{"delete", "accounttier", "--all", "--wait=false"},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	var got account
	err := wait.PollUntilContextTimeout(ctx, askAgain, stepTimeout, true, func(ctx context.Context) (done bool, err error) {
		got, err = s.inAWS(ctx)
		return got == empty, err
	})
	s.say("What is left in AWS:")
	got.print(s)
	if err != nil {
		return fmt.Errorf("wait for nothing to be left in the account: %w", err)
	}
	s.say("The SessionAccesses themselves stay for a minute more, while open sessions are listed once more.")
	return nil
}

func (a account) print(s *stage) {
	table := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "policies\t%d\nsession documents\t%d\nactivations\t%d\nhybrid nodes\t%d\ninstances tier\t%s\n", a.policies, a.documents, a.activations, a.nodes, a.tier)
	_ = table.Flush() // Nothing can be done when the terminal is gone.
	fmt.Fprintln(s.out)
}

// inAWS asks AWS what there is. One page of each is enough for the demo.
func (s *stage) inAWS(ctx context.Context) (account, error) {
	config := s.env.AWSConfig(s.env.Credentials("admin"))
	policies, err := iam.NewFromConfig(config).ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal, PathPrefix: aws.String(ourPath)})
	if err != nil {
		return account{}, fmt.Errorf("list the policies: %w", err)
	}
	client := ssm.NewFromConfig(config)
	documents, err := client.ListDocuments(ctx, &ssm.ListDocumentsInput{Filters: []ssmtypes.DocumentKeyValuesFilter{{Key: aws.String("Owner"), Values: []string{"Self"}}}})
	if err != nil {
		return account{}, fmt.Errorf("list the documents: %w", err)
	}
	activations, err := client.DescribeActivations(ctx, &ssm.DescribeActivationsInput{})
	if err != nil {
		return account{}, fmt.Errorf("list the activations: %w", err)
	}
	nodes, err := client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters: []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("ResourceType"), Values: []string{string(ssmtypes.ResourceTypeManagedInstance)}}},
	})
	if err != nil {
		return account{}, fmt.Errorf("list the hybrid nodes: %w", err)
	}
	setting, err := client.GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String("/ssm/managed-instance/activation-tier")})
	if err != nil {
		return account{}, fmt.Errorf("read the instances tier: %w", err)
	}
	tier := aws.ToString(setting.ServiceSetting.SettingValue)
	if status := aws.ToString(setting.ServiceSetting.Status); status == "PendingUpdate" {
		tier += ", " + status
	}
	return account{len(policies.Policies), len(documents.DocumentIdentifiers), len(activations.ActivationList), len(nodes.InstanceInformationList), tier}, nil
}
