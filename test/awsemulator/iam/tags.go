package iam

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// readTags checks tags as a request brings them.
func readTags(tags []types.Tag) ([]service.Tag, error) {
	var result []service.Tag
	for _, t := range tags {
		k, v := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := tagKeyPattern.Check(k); err != nil {
			return nil, err
		}
		if err := tagValuePattern.Check(v); err != nil {
			return nil, err
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return nil, invalidInput("Tag keys that begin with aws: are reserved: %s", k)
		}
		if indexOfTag(result, k) >= 0 {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		result = append(result, service.Tag{Key: k, Value: v})
	}
	if len(result) > maxTags {
		return nil, tooManyTags()
	}
	return result, nil
}

func tooManyTags() error {
	return wire.Errorf(409, "LimitExceeded", "The number of tags has reached the maximum limit.")
}

// indexOfTag finds a tag by its key, whatever the case.
func indexOfTag(tags []service.Tag, k string) int {
	return slices.IndexFunc(tags, func(t service.Tag) bool { return strings.EqualFold(t.Key, k) })
}

// mergeTags returns the tags with those of more put over them.
func mergeTags(tags, more []service.Tag) ([]service.Tag, error) {
	result := slices.Clone(tags)
	for _, t := range more {
		if i := indexOfTag(result, t.Key); i >= 0 {
			result[i] = t
		} else {
			result = append(result, t)
		}
	}
	if len(result) > maxTags {
		return nil, tooManyTags()
	}
	return result, nil
}

// dropTags returns the tags less those of the keys.
func dropTags(tags []service.Tag, keys []string) []service.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t service.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

func tagsOut(tags []service.Tag) []types.Tag {
	out := make([]types.Tag, len(tags))
	for i, t := range tags {
		out[i] = types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	}
	return out
}
