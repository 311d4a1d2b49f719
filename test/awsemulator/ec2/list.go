package ec2

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// listing is one question to a list: which entries, and which page of them.
type listing[T any] struct {
	items ordered.Map[*T]
	// ids are those asked for, all when empty. One that is not there is answered
	// with missing, an error code, in a sentence that begins with noun.
	ids           []string
	missing, noun string
	filters       []types.Filter
	// values is what a filter reads; it reports false for an unknown filter.
	values func(name string, item *T) ([]string, bool)
	token  *string
	max    *int32
	// low and high bound MaxResults; a page without it has high entries.
	low, high int32
}

// list answers a listing with a page and the token of the next.
func list[T any](r *Region, l listing[T]) ([]T, *string, error) {
	size, err := l.size()
	if err != nil {
		return nil, nil, err
	}
	if err := l.checkIDs(); err != nil {
		return nil, nil, err
	}
	holds, err := matcher(l.filters, func(name string, item *T) ([]string, bool) {
		if item == nil {
			item = new(T)
		}
		return l.values(name, item)
	})
	if err != nil {
		return nil, nil, err
	}
	last, err := readToken(l.token)
	if err != nil {
		return nil, nil, err
	}
	size = r.Paging.Size(size)
	page := []T{}
	for id, item := range l.items.After(last) {
		if !holds(item) || (len(l.ids) > 0 && !slices.Contains(l.ids, id)) {
			continue
		}
		if len(page) == size {
			return page, writeToken(last), nil
		}
		page, last = append(page, *item), id
	}
	return page, nil, nil
}

func (l listing[T]) size() (int, error) {
	if l.max == nil {
		return int(l.high), nil
	}
	if *l.max < l.low || *l.max > l.high {
		return 0, wire.Errorf(400, "InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *l.max, l.low, l.high)
	}
	return int(*l.max), nil
}

func (l listing[T]) checkIDs() error {
	var missing []string
	for _, id := range l.ids {
		if _, ok := l.items.Get(id); !ok {
			missing = append(missing, id)
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return wire.Errorf(400, l.missing, "The %s ID '%s' does not exist", l.noun, missing[0])
	default:
		return wire.Errorf(400, l.missing, "The %s IDs '%s' do not exist", l.noun, strings.Join(missing, ", "))
	}
}

// tagValues is what the filters tag:K and tag-key look at.
func tagValues(name string, tags []types.Tag) ([]string, bool) {
	key, byKey := strings.CutPrefix(name, "tag:")
	if !byKey && name != "tag-key" {
		return nil, false
	}
	var values []string
	for _, t := range tags {
		switch {
		case !byKey:
			values = append(values, aws.ToString(t.Key))
		case aws.ToString(t.Key) == key:
			values = append(values, aws.ToString(t.Value))
		}
	}
	return values, true
}

// one is the value of a member that may be unset.
func one[S ~string](value *S) ([]string, bool) {
	if value == nil {
		return nil, true
	}
	return []string{string(*value)}, true
}

// flag is the value of a switch, as filters write it.
func flag(value *bool) ([]string, bool) {
	if aws.ToBool(value) {
		return []string{"true"}, true
	}
	return []string{"false"}, true
}

// each is what a member holds in all entries of a list, where it is set.
func each[E any, S ~string](list []E, member func(E) *S) ([]string, bool) {
	var values []string
	for _, entry := range list {
		if value := member(entry); value != nil && *value != "" {
			values = append(values, string(*value))
		}
	}
	return values, true
}
