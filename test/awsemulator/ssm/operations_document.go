package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func documentOperations(of Finder) []service.Operation {
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
		service.Define(of, "ListDocuments", service.Read, func(*Region, *service.Request, *sdk.ListDocumentsInput) []service.Check {
			return noResource("ListDocuments")
		}, (*Region).listDocuments),
		service.Define(of, "DeleteDocument", service.Write, func(r *Region, _ *service.Request, in *sdk.DeleteDocumentInput) []service.Check {
			return r.onDocument("DeleteDocument", in.Name)
		}, (*Region).deleteDocument).Require("Name"),
	}
}

func documentVersionOperations(of Finder) []service.Operation {
	return []service.Operation{
		service.Define(of, "UpdateDocument", service.Write, func(r *Region, _ *service.Request, in *sdk.UpdateDocumentInput) []service.Check {
			return r.onDocument("UpdateDocument", in.Name)
		}, (*Region).updateDocument).Require("Name", "Content"),
		service.Define(of, "UpdateDocumentDefaultVersion", service.Write, func(r *Region, _ *service.Request, in *sdk.UpdateDocumentDefaultVersionInput) []service.Check {
			return r.onDocument("UpdateDocumentDefaultVersion", in.Name)
		}, (*Region).updateDocumentDefaultVersion).Require("Name", "DocumentVersion"),
		service.Define(of, "ListDocumentVersions", service.Read, func(r *Region, _ *service.Request, in *sdk.ListDocumentVersionsInput) []service.Check {
			return r.onDocument("ListDocumentVersions", in.Name)
		}, (*Region).listDocumentVersions).Require("Name"),
		service.Define(of, "ModifyDocumentPermission", service.Write, func(r *Region, _ *service.Request, in *sdk.ModifyDocumentPermissionInput) []service.Check {
			return r.onDocument("ModifyDocumentPermission", in.Name)
		}, (*Region).modifyDocumentPermission).Require("Name", "PermissionType"),
		service.Define(of, "DescribeDocumentPermission", service.Read, func(r *Region, _ *service.Request, in *sdk.DescribeDocumentPermissionInput) []service.Check {
			return r.onDocument("DescribeDocumentPermission", in.Name)
		}, (*Region).describeDocumentPermission).Require("Name", "PermissionType"),
		service.Define(of, "GetResourcePolicies", service.Read, func(r *Region, _ *service.Request, in *sdk.GetResourcePoliciesInput) []service.Check {
			return r.on("GetResourcePolicies", aws.ToString(in.ResourceArn))
		}, (*Region).getResourcePolicies).Require("ResourceArn"),
	}
}
