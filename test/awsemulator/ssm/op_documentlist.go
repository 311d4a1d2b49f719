package ssm

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// maxDocumentFilters is how many filters ListDocuments takes (service model).
const maxDocumentFilters = 6

// listDocuments lists the account's own documents and AWS's. Those that other
// accounts share are not listed.
func (r *Region) listDocuments(req *service.Request, in *sdk.ListDocumentsInput) (*sdk.ListDocumentsOutput, error) {
	keep, err := documentFilters(in, r.AccountID)
	if err != nil {
		return nil, err
	}
	list := ordered.New[foundDocument]()
	for name := range awsSessionDocuments {
		d, _ := awsDocument(name)
		if f := (foundDocument{Document: d, owner: amazon, name: name}); keep(f) {
			list = list.With(name, f)
		}
	}
	for d := range r.at(r.DocumentLag, req.Now).existing(req.Now) {
		if f := (foundDocument{Document: d, owner: r.AccountID, name: d.Name}); keep(f) {
			list = list.With(d.Name, f)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 1, high: 50, byDefault: 50}, list)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListDocumentsOutput{NextToken: p.next, DocumentIdentifiers: make([]types.DocumentIdentifier, len(p.items))}
	for i, f := range p.items {
		v, _ := f.Version(f.Default)
		out.DocumentIdentifiers[i] = types.DocumentIdentifier{
			Name: aws.String(f.Name), Owner: aws.String(f.owner), CreatedDate: aws.Time(f.Created), DocumentType: types.DocumentType(f.Type),
			DocumentFormat: types.DocumentFormat(v.Format), DocumentVersion: aws.String(strconv.Itoa(v.Number)), VersionName: optional(v.Name),
			PlatformTypes: platforms, SchemaVersion: schemaVersionOf(f.Type), Tags: tagList(f.Tags),
		}
	}
	return out, nil
}

// documentFilters returns the condition that all filters make together. The
// values of one filter are alternatives.
func documentFilters(in *sdk.ListDocumentsInput, account string) (func(foundDocument) bool, error) {
	filters := slices.Clone(in.Filters)
	for _, f := range in.DocumentFilterList {
		filters = append(filters, types.DocumentKeyValuesFilter{Key: aws.String(string(f.Key)), Values: []string{aws.ToString(f.Value)}})
	}
	if len(filters) > maxDocumentFilters {
		return nil, service.ValidationError("Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to %d", maxDocumentFilters)
	}
	var conditions []func(foundDocument) bool
	for _, f := range filters {
		condition, err := documentFilter(aws.ToString(f.Key), f.Values, account)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, condition)
	}
	return func(f foundDocument) bool {
		return !slices.ContainsFunc(conditions, func(holds func(foundDocument) bool) bool { return !holds(f) })
	}, nil
}

func documentFilter(key string, values []string, account string) (func(foundDocument) bool, error) {
	switch key {
	case "Name":
		// The values are prefixes (API reference).
		return func(f foundDocument) bool {
			return slices.ContainsFunc(values, func(prefix string) bool { return strings.HasPrefix(f.Name, prefix) })
		}, nil
	case "DocumentType":
		return func(f foundDocument) bool { return slices.Contains(values, f.Type) }, nil
	case "PlatformTypes":
		return func(foundDocument) bool {
			return slices.ContainsFunc(platforms, func(p types.PlatformType) bool { return slices.Contains(values, string(p)) })
		}, nil
	case "Owner":
		return ownerFilter(values, account)
	}
	if tag, ok := strings.CutPrefix(key, "tag:"); ok {
		return func(f foundDocument) bool {
			value, has := f.Tags[tag]
			return has && slices.Contains(values, value)
		}, nil
	}
	return nil, invalid("InvalidFilterKey", "The filter key %s is not valid for documents.", key)
}

func ownerFilter(values []string, account string) (func(foundDocument) bool, error) {
	if len(values) != 1 {
		return nil, service.ValidationError("Only one Owner can be specified in a request")
	}
	switch values[0] {
	case "Self":
		return func(f foundDocument) bool { return f.owner == account }, nil
	case amazon:
		return func(f foundDocument) bool { return f.owner == amazon }, nil
	case "All":
		return func(foundDocument) bool { return true }, nil
	case "Private", "Public", "ThirdParty":
		return func(foundDocument) bool { return false }, nil
	}
	return nil, service.ValidationError("Value '%s' at 'filters' failed to satisfy constraint: Member must satisfy enum value set: [Self, Amazon, Private, Public, ThirdParty, All]", values[0])
}
