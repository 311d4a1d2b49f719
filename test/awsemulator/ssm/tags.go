package ssm

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// The bounds of tags, in number and in characters.
const (
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
	reservedForAWS = "aws:"
)

// tagMap adds tags to those that are there.
func tagMap(old map[string]string, more []types.Tag) (map[string]string, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, t := range more {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := checkTag(key, value); err != nil {
			return nil, err
		}
		tags[key] = value
	}
	if len(tags) > maxTags {
		return nil, invalid("TooManyTagsError", "The resource has more than %d tags.", maxTags)
	}
	return tags, nil
}

func checkTag(key, value string) error {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey:
		return service.ValidationError("Value '%s' at 'tags.member.key' failed to satisfy constraint: Member must have length between 1 and %d", key, maxTagKey)
	case utf8.RuneCountInString(value) > maxTagValue:
		return service.ValidationError("Value '%s' at 'tags.member.value' failed to satisfy constraint: Member must have length less than or equal to %d", value, maxTagValue)
	case strings.HasPrefix(strings.ToLower(key), reservedForAWS):
		return service.ValidationError("The tag key %s begins with aws:, which is reserved for internal use", key)
	}
	return nil
}

// tagList is tags as AWS lists them.
func tagList(tags map[string]string) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

// requestTags sets the condition keys of a request that brings tags.
func requestTags(ctx *authz.Context, tags []types.Tag) {
	keys := make([]string, 0, len(tags))
	for _, t := range tags {
		ctx.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		keys = append(keys, aws.ToString(t.Key))
	}
	ctx.Set("aws:TagKeys", keys...)
}
