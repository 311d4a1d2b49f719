package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// noResource is the check of an operation that takes no resource.
func noResource(operation string) []service.Check {
	return []service.Check{{Action: "ssm:" + operation, Resource: "*"}}
}

// on is the check of an operation on one resource of the region.
func (r *Region) on(operation, arn string) []service.Check {
	return []service.Check{{Action: "ssm:" + operation, Resource: arn, Context: r.ResourceContext(arn)}}
}

func (r *Region) onDocument(operation string, name *string) []service.Check {
	return r.on(operation, r.DocumentARN(aws.ToString(name)))
}

// onNewDocument is the check of a creation. Tags in the same call also need the
// permission to tag.
func (r *Region) onNewDocument(in *sdk.CreateDocumentInput) []service.Check {
	c := service.Check{Action: "ssm:CreateDocument", Resource: r.DocumentARN(aws.ToString(in.Name))}
	requestTags(&c.Context, in.Tags)
	if in.DocumentType != "" {
		c.Context.Set("ssm:DocumentType", string(in.DocumentType))
	} else {
		c.Context.Set("ssm:DocumentType", string(types.DocumentTypeCommand))
	}
	if len(in.Tags) == 0 {
		return []service.Check{c}
	}
	return []service.Check{c, {Action: "ssm:AddTagsToResource", Resource: c.Resource, Context: c.Context.Clone()}}
}

// onNewActivation is the check of a creation: the role is passed to Systems
// Manager, and tags need the permission to tag. An activation has no ARN: its
// tags are judged without a resource, which has not been seen on a real
// account.
func (r *Region) onNewActivation(req *service.Request, in *sdk.CreateActivationInput) []service.Check {
	c := service.Check{Action: "ssm:CreateActivation", Resource: "*"}
	requestTags(&c.Context, in.Tags)
	role := r.ServiceRole(req.Now, aws.ToString(in.IamRole))
	pass := service.Check{Action: "iam:PassRole", Resource: role.ARN, Context: role.Context.Clone()}
	pass.Context.Set("iam:PassedToService", "ssm.amazonaws.com")
	checks := []service.Check{c, pass}
	if len(in.Tags) > 0 {
		checks = append(checks, service.Check{Action: "ssm:AddTagsToResource", Resource: "*", Context: c.Context.Clone()})
	}
	return checks
}

// onTagged is the check of an operation on the tags of a resource.
func (r *Region) onTagged(operation string, kind types.ResourceTypeForTagging, id *string) service.Check {
	arn := r.DocumentARN(aws.ToString(id))
	if kind == types.ResourceTypeForTaggingManagedInstance {
		arn = r.ARN("ssm", "managed-instance/"+aws.ToString(id))
	}
	return r.on(operation, arn)[0]
}

func (r *Region) onSetting(operation string) []service.Check {
	return r.on(operation, r.ARN("ssm", tierResource))
}
