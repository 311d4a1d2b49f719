package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/service"
)

// Service returns SSM; of finds the region that a request is about.
func Service(of func(*service.Request) *Region) *service.Service {
	return &service.Service{Name: "ssm", Operations: service.Collect(sessionOperations(of), nodeOperations(of), documentOperations(of))}
}

// anything is the check of an operation that takes no resource.
func anything(operation string) []service.Check {
	return []service.Check{{Action: "ssm:" + operation, Resource: "*"}}
}

// sessionOperations are those on sessions. StartSession is judged in the call:
// what it needs depends on what is allowed.
func sessionOperations(of func(*service.Request) *Region) []service.Operation {
	return []service.Operation{
		service.Define(of, "StartSession", service.Write, nil, (*Region).startSession).Require("Target"),
		service.Define(of, "ResumeSession", service.Write, func(r *Region, _ *service.Request, in *sdk.ResumeSessionInput) []service.Check {
			return r.onSession("ResumeSession", in.SessionId)
		}, (*Region).resumeSession).Require("SessionId"),
		service.Define(of, "TerminateSession", service.Write, func(r *Region, _ *service.Request, in *sdk.TerminateSessionInput) []service.Check {
			return r.onSession("TerminateSession", in.SessionId)
		}, (*Region).terminateSession).Require("SessionId"),
		service.Define(of, "DescribeSessions", service.Read, func(*Region, *service.Request, *sdk.DescribeSessionsInput) []service.Check {
			return anything("DescribeSessions")
		}, (*Region).describeSessions).Require("State"),
	}
}

func nodeOperations(of func(*service.Request) *Region) []service.Operation {
	return []service.Operation{
		service.Define(of, "GetConnectionStatus", service.Read, func(*Region, *service.Request, *sdk.GetConnectionStatusInput) []service.Check {
			return anything("GetConnectionStatus")
		}, (*Region).getConnectionStatus).Require("Target"),
		service.Define(of, "DescribeInstanceInformation", service.Read, func(*Region, *service.Request, *sdk.DescribeInstanceInformationInput) []service.Check {
			return anything("DescribeInstanceInformation")
		}, (*Region).describeInstanceInformation),
	}
}

func documentOperations(of func(*service.Request) *Region) []service.Operation {
	return []service.Operation{
		service.Define(of, "CreateDocument", service.Write, func(r *Region, _ *service.Request, in *sdk.CreateDocumentInput) []service.Check {
			return r.onNewDocument(in)
		}, (*Region).createDocument).Require("Name", "Content"),
		service.Define(of, "GetDocument", service.Read, func(r *Region, _ *service.Request, in *sdk.GetDocumentInput) []service.Check {
			return r.onDocument("GetDocument", in.Name)
		}, (*Region).getDocument).Require("Name"),
		service.Define(of, "DescribeDocument", service.Read, func(r *Region, _ *service.Request, in *sdk.DescribeDocumentInput) []service.Check {
			return r.onDocument("DescribeDocument", in.Name)
		}, (*Region).describeDocument).Require("Name"),
		service.Define(of, "DeleteDocument", service.Write, func(r *Region, _ *service.Request, in *sdk.DeleteDocumentInput) []service.Check {
			return r.onDocument("DeleteDocument", in.Name)
		}, (*Region).deleteDocument).Require("Name"),
	}
}

func (r *Region) onDocument(operation string, name *string) []service.Check {
	arn := r.DocumentARN(aws.ToString(name))
	return []service.Check{{Action: "ssm:" + operation, Resource: arn, Context: r.ResourceContext(arn)}}
}

// onNewDocument is the check of a creation. Tags that come with it need the
// permission to tag besides.
func (r *Region) onNewDocument(in *sdk.CreateDocumentInput) []service.Check {
	c := service.Check{Action: "ssm:CreateDocument", Resource: r.DocumentARN(aws.ToString(in.Name))}
	var keys []string
	for _, t := range in.Tags {
		c.Context.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		keys = append(keys, aws.ToString(t.Key))
	}
	c.Context.Set("aws:TagKeys", keys...)
	if in.DocumentType != "" {
		c.Context.Set("ssm:DocumentType", string(in.DocumentType))
	} else {
		c.Context.Set("ssm:DocumentType", string(types.DocumentTypeCommand))
	}
	if len(keys) == 0 {
		return []service.Check{c}
	}
	return []service.Check{c, {Action: "ssm:AddTagsToResource", Resource: c.Resource, Context: c.Context.Clone()}}
}
