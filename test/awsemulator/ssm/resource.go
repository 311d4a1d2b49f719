package ssm

import (
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// NodeARN is the ARN by which policies name a node.
func (r *Region) NodeARN(id string) string {
	if strings.HasPrefix(id, "mi-") {
		return r.ARN("ssm", "managed-instance/"+id)
	}
	return r.ARN("ec2", "instance/"+id)
}

// SessionARN is the ARN by which policies name a session.
func (r *Region) SessionARN(id string) string { return r.ARN("ssm", "session/"+id) }

// DocumentARN is the ARN by which policies name a document. The ARNs of AWS's
// own documents have no account; a shared document is named by its ARN.
func (r *Region) DocumentARN(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case strings.HasPrefix(name, "AWS-"):
		return "arn:" + r.Partition + ":ssm:" + r.Scope.Region + "::document/" + name
	default:
		return r.ARN("ssm", "document/"+name)
	}
}

// ResourceContext holds the tags of a node, document or session of the region
// as condition keys, by its ARN.
func (r *Region) ResourceContext(arn string) authz.Context {
	var ctx authz.Context
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[3] != r.Scope.Region || parts[4] != r.AccountID {
		return ctx
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "instance", "managed-instance":
		if n, ok := r.Fleet.Node(name); ok {
			setTags(&ctx, n.Tags)
			if kind == "instance" {
				for k, v := range n.Tags {
					ctx.Set("ec2:ResourceTag/"+k, v)
				}
			}
		}
	case "document":
		if d, ok := r.Document(name); ok {
			setTags(&ctx, d.Tags)
		}
	case "session":
		if s, ok := r.history.Latest().sessions.Get(name); ok {
			setTags(&ctx, s.tags())
		}
	}
	return ctx
}

func setTags(ctx *authz.Context, tags map[string]string) {
	for k, v := range tags {
		ctx.Set("aws:ResourceTag/"+k, v)
		ctx.Set("ssm:resourceTag/"+k, v)
	}
}
