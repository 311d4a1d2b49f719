package ec2

import (
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// matcher returns the condition that all filters make together. values returns
// what a filter reads from an item; it reports false for an unknown filter.
func matcher[T any](filters []types.Filter, values func(name string, item T) ([]string, bool)) (func(T) bool, error) {
	var none T
	for _, f := range filters {
		if _, ok := values(aws.ToString(f.Name), none); !ok {
			return nil, wire.Errorf(400, "InvalidParameterValue", "The filter '%s' is invalid", aws.ToString(f.Name))
		}
	}
	return func(item T) bool {
		for _, f := range filters {
			have, _ := values(aws.ToString(f.Name), item)
			if !anyMatch(f.Values, have) {
				return false
			}
		}
		return true
	}, nil
}

// anyMatch reports whether one of the patterns, with * and ?, matches one of
// the values.
func anyMatch(patterns, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return like(p, v) })
	})
}

// like matches as EC2's filters do: * and ? are wildcards, nothing else is.
func like(pattern, value string) bool {
	plain := strings.NewReplacer(`\`, `\\`, "[", `\[`, "/", "\x00").Replace(pattern)
	ok, err := path.Match(plain, strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && ok
}
