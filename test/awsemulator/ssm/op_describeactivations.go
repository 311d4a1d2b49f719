package ssm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func (r *Region) describeActivations(req *service.Request, in *sdk.DescribeActivationsInput) (*wire.Raw, error) {
	keep, err := activationFilters(in.Filters)
	if err != nil {
		return nil, err
	}
	list := ordered.New[*Activation]()
	for a := range r.at(r.ActivationLag, req.Now).activations.Values() {
		if keep(a) {
			list = list.With(a.ID, a)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 1, high: 50, byDefault: 50}, list)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeActivationsOutput{NextToken: p.next, ActivationList: make([]types.Activation, len(p.items))}
	for i, a := range p.items {
		out.ActivationList[i] = a.out(req.Now)
	}
	return withExpired(out)
}

// withExpired writes an answer in which Expired is false where the SDK would leave it out.
func withExpired(out *sdk.DescribeActivationsOutput) (*wire.Raw, error) {
	body, err := wire.EncodeJSON(context.Background(), out)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var answer struct {
		ActivationList []map[string]any
		NextToken      *string `json:",omitempty"`
	}
	if err := decoder.Decode(&answer); err != nil {
		return nil, fmt.Errorf("read the answer again: %w", err)
	}
	for i, a := range answer.ActivationList {
		a["Expired"] = out.ActivationList[i].Expired
	}
	return wire.RawJSON(answer)
}

// activationFilters returns the condition that all filters make together. The
// values of one filter are alternatives.
func activationFilters(filters []types.DescribeActivationsFilter) (func(*Activation) bool, error) {
	for _, f := range filters {
		if _, ok := activationValue(f.FilterKey, &Activation{}); !ok {
			return nil, invalid("InvalidFilter", "The filter key %q is not valid for activations.", f.FilterKey)
		}
	}
	return func(a *Activation) bool {
		return !slices.ContainsFunc(filters, func(f types.DescribeActivationsFilter) bool {
			value, _ := activationValue(f.FilterKey, a)
			return !slices.Contains(f.FilterValues, value)
		})
	}, nil
}

// activationValue is what a filter looks at.
func activationValue(key types.DescribeActivationsFilterKeys, a *Activation) (string, bool) {
	switch key {
	case types.DescribeActivationsFilterKeysActivationIds:
		return a.ID, true
	case types.DescribeActivationsFilterKeysDefaultInstanceName:
		return a.Name, true
	case types.DescribeActivationsFilterKeysIamRole:
		return a.Role, true
	}
	return "", false
}
