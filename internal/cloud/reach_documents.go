package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// DefaultContent reads the content of the version that sessions use, as JSON; ok
// is false where there is no such document. One call.
func (a *Account) DefaultContent(ctx context.Context, region, name string) (content string, ok bool, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", false, err
	}
	out, err := clients.ssmIn(region).GetDocument(ctx, &ssm.GetDocumentInput{
		Name: &name, DocumentVersion: aws.String(DefaultDocumentVersion), DocumentFormat: types.DocumentFormatJson,
	})
	if NoDocument(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, a.explain(err, "reading document %q in %s", name, region)
	}
	return aws.ToString(out.Content), true, nil
}

// KeyPolicy reads the policy of a key by its ARN, as JSON. One call.
func (a *Account) KeyPolicy(ctx context.Context, region, keyARN string) (string, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", err
	}
	out, err := clients.kmsIn(region).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &keyARN})
	if err != nil {
		return "", a.explain(err, "reading the policy of key %s", keyARN)
	}
	return aws.ToString(out.Policy), nil
}
