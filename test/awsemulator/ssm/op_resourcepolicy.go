package ssm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// HasDocument reports whether the ARN is that of a document of the account.
func (r *Region) HasDocument(arn string) bool {
	name, ok := strings.CutPrefix(arn, r.DocumentARN(""))
	if !ok {
		return false
	}
	_, ok = r.Document(name)
	return ok
}

// getResourcePolicies answers with the policy that RAM keeps on a document that it shares.
// Its text has not been seen on a real account.
func (r *Region) getResourcePolicies(_ *service.Request, in *sdk.GetResourcePoliciesInput) (*sdk.GetResourcePoliciesOutput, error) {
	arn := aws.ToString(in.ResourceArn)
	if !r.HasDocument(arn) {
		return nil, invalid("ResourceNotFoundException", "The resource %s does not exist.", arn)
	}
	out := &sdk.GetResourcePoliciesOutput{Policies: []types.GetResourcePoliciesResponseEntry{}}
	whom := r.SharedWith(arn)
	if len(whom) == 0 {
		return out, nil
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": whom}, "Resource": arn,
		"Action": []string{"ssm:DescribeDocument", "ssm:GetDocument", "ssm:StartSession"},
	}}})
	if err != nil {
		return nil, fmt.Errorf("write the resource policy: %w", err)
	}
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	out.Policies = append(out.Policies, types.GetResourcePoliciesResponseEntry{
		Policy: aws.String(string(text)), PolicyHash: aws.String(hash), PolicyId: aws.String(hash[:32]),
	})
	return out, nil
}
