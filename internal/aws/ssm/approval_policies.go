package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// ApprovalPolicies lists the account's own approval policies of just-in-time node access
// in a region, by name. They are documents of two types. One call for 50.
func (r Region) ApprovalPolicies(ctx context.Context) ([]string, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	pages := ssm.NewListDocumentsPaginator(client, &ssm.ListDocumentsInput{
		Filters: []types.DocumentKeyValuesFilter{
			{Key: aws.String("Owner"), Values: []string{"Self"}},
			{Key: aws.String("DocumentType"), Values: []string{string(types.DocumentTypeAutoApprovalPolicy), string(types.DocumentTypeManualApprovalPolicy)}},
		},
		MaxResults: aws.Int32(documentPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the approval policies in %s", r.name)
		}
		for _, d := range page.DocumentIdentifiers {
			names = append(names, aws.ToString(d.Name))
		}
	}
	return names, nil
}
