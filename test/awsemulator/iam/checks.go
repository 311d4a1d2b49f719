package iam

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// anything is the check of an operation that takes no resource.
func anything(operation string) []service.Check {
	return []service.Check{{Action: "iam:" + operation, Resource: "*"}}
}

// onEntity is the check of an operation on a user, group or role, by the ARN
// that it has, or would have in the root path.
func (a *Account) onEntity(r *service.Request, operation string, kind Kind, name *string, keys ...contextKey) []service.Check {
	c := service.Check{Action: "iam:" + operation, Resource: a.arn(resourceOf(kind), "/", aws.ToString(name))}
	if e, ok := a.ForEvaluation(r.Now).Entity(kind, aws.ToString(name)); ok {
		c.Resource = e.ARN
		setResourceTags(&c.Context, e.Tags)
	}
	for _, k := range keys {
		k(&c.Context)
	}
	return []service.Check{c}
}

// onPolicy is the check of an operation on a managed policy.
func (a *Account) onPolicy(r *service.Request, operation string, arn *string, keys ...contextKey) []service.Check {
	c := service.Check{Action: "iam:" + operation, Resource: aws.ToString(arn)}
	if p, ok := a.ForEvaluation(r.Now).Policy(aws.ToString(arn)); ok {
		setResourceTags(&c.Context, p.Tags)
	}
	for _, k := range keys {
		k(&c.Context)
	}
	return []service.Check{c}
}

// onNew is the check of a creation, by the ARN that will be. Tags in the same
// call also need the permission to tag.
func (a *Account) onNew(operation, resource string, path, name *string, tags []types.Tag, keys ...contextKey) []service.Check {
	p := "/"
	if path != nil {
		p = *path
	}
	c := service.Check{Action: "iam:" + operation, Resource: a.arn(resource, p, aws.ToString(name))}
	requestTags(tags)(&c.Context)
	tagging := service.Check{Action: "iam:" + strings.Replace(operation, "Create", "Tag", 1), Resource: c.Resource, Context: c.Context.Clone()}
	for _, k := range keys {
		k(&c.Context)
	}
	if len(tags) == 0 {
		return []service.Check{c}
	}
	return []service.Check{c, tagging}
}

// contextKey sets a condition key of the operation, if the request has it.
type contextKey func(*authz.Context)

func policyKey(arn *string) contextKey {
	return func(c *authz.Context) {
		if arn != nil {
			c.Set("iam:PolicyARN", *arn)
		}
	}
}

func boundaryKey(arn *string) contextKey {
	return func(c *authz.Context) {
		if arn != nil {
			c.Set("iam:PermissionsBoundary", *arn)
		}
	}
}

// currentBoundary is the boundary of the entity that an operation changes.
func (a *Account) currentBoundary(r *service.Request, kind Kind, name *string) contextKey {
	return func(c *authz.Context) {
		if e, ok := a.ForEvaluation(r.Now).Entity(kind, aws.ToString(name)); ok && e.Boundary != "" {
			c.Set("iam:PermissionsBoundary", e.Boundary)
		}
	}
}

func requestTags(tags []types.Tag) contextKey {
	return func(c *authz.Context) {
		keys := make([]string, len(tags))
		for i, t := range tags {
			keys[i] = aws.ToString(t.Key)
			c.Set("aws:RequestTag/"+keys[i], aws.ToString(t.Value))
		}
		c.Set("aws:TagKeys", keys...)
	}
}

func tagKeys(keys []string) contextKey {
	return func(c *authz.Context) { c.Set("aws:TagKeys", keys...) }
}

func setResourceTags(c *authz.Context, tags []service.Tag) {
	for _, t := range tags {
		c.Set("aws:ResourceTag/"+t.Key, t.Value)
		c.Set("iam:ResourceTag/"+t.Key, t.Value)
	}
}

// ResourceContext holds the tags of an entity or policy as condition keys, by
// its ARN.
func (a *Account) ResourceContext(arn string) authz.Context {
	var ctx authz.Context
	s := a.Latest()
	if e, ok := s.EntityByARN(arn); ok {
		setResourceTags(&ctx, e.Tags)
	} else if p, ok := s.Policy(arn); ok {
		setResourceTags(&ctx, p.Tags)
	}
	return ctx
}
