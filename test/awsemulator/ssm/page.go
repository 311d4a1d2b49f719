package ssm

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// page is one page of a list and the token of the next.
type page[T any] struct {
	items []T
	next  *string
}

// bounds are those of MaxResults.
type bounds struct{ low, high, byDefault int32 }

// tokenPrefix begins every token. Tokens are opaque to clients.
const tokenPrefix = "after:"

func paginate[T any](paging *service.Paging, token *string, maxResults *int32, b bounds, list ordered.Map[T]) (page[T], error) {
	asked, err := service.InRange("maxResults", maxResults, b.low, b.high, b.byDefault)
	if err != nil {
		return page[T]{}, err
	}
	after := ""
	if aws.ToString(token) != "" {
		raw, err := base64.URLEncoding.DecodeString(*token)
		rest, ok := strings.CutPrefix(string(raw), tokenPrefix)
		if err != nil || !ok {
			return page[T]{}, invalid("InvalidNextToken", "The specified token is not valid.")
		}
		after = rest
	}
	size := paging.Size(asked)
	p, last := page[T]{items: []T{}}, after
	for k, item := range list.After(after) {
		if len(p.items) == size {
			p.next = aws.String(base64.URLEncoding.EncodeToString([]byte(tokenPrefix + last)))
			break
		}
		p.items = append(p.items, item)
		last = k
	}
	return p, nil
}
