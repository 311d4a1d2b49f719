package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// codeNoSuchDocument is SSM's error for a document that it does not know.
const codeNoSuchDocument = "InvalidDocument"

// HasDocument reports whether a region has a document of that name, owned by the
// account or by AWS. One call.
func (a *Account) HasDocument(ctx context.Context, region, name string) (bool, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return false, err
	}
	_, err = clients.ssmIn(region).DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &name})
	if Code(err) == codeNoSuchDocument {
		return false, nil
	}
	return err == nil, a.explain(err, "looking for document %s in %s", name, region)
}
