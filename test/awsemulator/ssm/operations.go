package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Finder finds the region that a request is about.
type Finder func(*service.Request) *Region

// Service returns SSM. activated finds the region that has an activation, nil
// where none has: a machine that registers has no credentials that identify it.
func Service(of Finder, activated func(activation string) *Region) *service.Service {
	return &service.Service{Name: "ssm", TargetPrefix: "AmazonSSM", Operations: service.Collect(
		sessionOperations(of), nodeOperations(of, activated), agentOperations(of), documentOperations(of), documentVersionOperations(of), activationOperations(of),
		settingOperations(of), tagOperations(of),
	)}
}

// sessionOperations are those on sessions. StartSession is judged in the call:
// what it needs depends on what is allowed.
func sessionOperations(of Finder) []service.Operation {
	return []service.Operation{
		service.Define(of, "StartSession", service.Write, nil, (*Region).startSession).Require("Target"),
		service.Define(of, "ResumeSession", service.Write, func(r *Region, _ *service.Request, in *sdk.ResumeSessionInput) []service.Check {
			return r.on("ResumeSession", r.SessionARN(aws.ToString(in.SessionId)))
		}, (*Region).resumeSession).Require("SessionId"),
		service.Define(of, "TerminateSession", service.Write, func(r *Region, _ *service.Request, in *sdk.TerminateSessionInput) []service.Check {
			return r.on("TerminateSession", r.SessionARN(aws.ToString(in.SessionId)))
		}, (*Region).terminateSession).Require("SessionId"),
		service.Define(of, "DescribeSessions", service.Read, func(*Region, *service.Request, *sdk.DescribeSessionsInput) []service.Check {
			return noResource("DescribeSessions")
		}, (*Region).describeSessions).Require("State"),
	}
}

func nodeOperations(of Finder, activated func(string) *Region) []service.Operation {
	return []service.Operation{
		service.Define(of, "GetConnectionStatus", service.Read, func(*Region, *service.Request, *sdk.GetConnectionStatusInput) []service.Check {
			return noResource("GetConnectionStatus")
		}, (*Region).getConnectionStatus).Require("Target"),
		service.Define(of, "DescribeInstanceInformation", service.Read, func(*Region, *service.Request, *sdk.DescribeInstanceInformationInput) []service.Check {
			return noResource("DescribeInstanceInformation")
		}, (*Region).describeInstanceInformation),
		service.Define(of, "DescribeInstanceProperties", service.Read, func(*Region, *service.Request, *sdk.DescribeInstancePropertiesInput) []service.Check {
			return noResource("DescribeInstanceProperties")
		}, (*Region).describeInstanceProperties),
		service.Define(of, "DeregisterManagedInstance", service.Write, func(r *Region, _ *service.Request, in *sdk.DeregisterManagedInstanceInput) []service.Check {
			return r.on("DeregisterManagedInstance", r.NodeARN(aws.ToString(in.InstanceId)))
		}, (*Region).deregisterManagedInstance).Require("InstanceId"),
		service.Define(of, "GetInventory", service.Read, func(*Region, *service.Request, *sdk.GetInventoryInput) []service.Check {
			return noResource("GetInventory")
		}, (*Region).getInventory),
		registerOperation(activated),
	}
}

func activationOperations(of Finder) []service.Operation {
	return []service.Operation{
		service.Define(of, "CreateActivation", service.Write, (*Region).onNewActivation, (*Region).createActivation).Require("IamRole"),
		service.Define(of, "DescribeActivations", service.Read, func(*Region, *service.Request, *sdk.DescribeActivationsInput) []service.Check {
			return noResource("DescribeActivations")
		}, (*Region).describeActivations),
		service.Define(of, "DeleteActivation", service.Write, func(*Region, *service.Request, *sdk.DeleteActivationInput) []service.Check {
			return noResource("DeleteActivation")
		}, (*Region).deleteActivation).Require("ActivationId"),
	}
}

func settingOperations(of Finder) []service.Operation {
	return []service.Operation{
		service.Define(of, "GetServiceSetting", service.Read, func(r *Region, _ *service.Request, in *sdk.GetServiceSettingInput) []service.Check {
			if r.isHostSetting(in.SettingId) {
				return []service.Check{{Action: "ssm:GetServiceSetting", Resource: r.ARN("ssm", hostResource)}}
			}
			return r.onSetting("GetServiceSetting")
		}, (*Region).getServiceSetting).Require("SettingId"),
		service.Define(of, "UpdateServiceSetting", service.Write, func(r *Region, _ *service.Request, _ *sdk.UpdateServiceSettingInput) []service.Check {
			return r.onSetting("UpdateServiceSetting")
		}, (*Region).updateServiceSetting).Require("SettingId", "SettingValue"),
		service.Define(of, "ResetServiceSetting", service.Write, func(r *Region, _ *service.Request, _ *sdk.ResetServiceSettingInput) []service.Check {
			return r.onSetting("ResetServiceSetting")
		}, (*Region).resetServiceSetting).Require("SettingId"),
		service.Define(of, "RegisterDefaultHostManagementConfiguration", service.Write, func(r *Region, req *service.Request, in *sdk.RegisterDefaultHostManagementConfigurationInput) []service.Check {
			return r.onHostSetting(req, in.PermissionModel, in.RoleArn)
		}, (*Region).registerHostManagement).Require("PermissionModel"),
		service.Define(of, "DeregisterDefaultHostManagementConfiguration", service.Write, func(r *Region, req *service.Request, _ *sdk.DeregisterDefaultHostManagementConfigurationInput) []service.Check {
			return r.onHostSetting(req, "", nil)
		}, (*Region).deregisterHostManagement),
	}
}

func tagOperations(of Finder) []service.Operation {
	return []service.Operation{
		service.Define(of, "AddTagsToResource", service.Write, func(r *Region, _ *service.Request, in *sdk.AddTagsToResourceInput) []service.Check {
			c := r.onTagged("AddTagsToResource", in.ResourceType, in.ResourceId)
			requestTags(&c.Context, in.Tags)
			return []service.Check{c}
		}, (*Region).addTagsToResource).Require("ResourceType", "ResourceId", "Tags"),
		service.Define(of, "RemoveTagsFromResource", service.Write, func(r *Region, _ *service.Request, in *sdk.RemoveTagsFromResourceInput) []service.Check {
			c := r.onTagged("RemoveTagsFromResource", in.ResourceType, in.ResourceId)
			c.Context.Set("aws:TagKeys", in.TagKeys...)
			return []service.Check{c}
		}, (*Region).removeTagsFromResource).Require("ResourceType", "ResourceId", "TagKeys"),
		service.Define(of, "ListTagsForResource", service.Read, func(r *Region, _ *service.Request, in *sdk.ListTagsForResourceInput) []service.Check {
			return []service.Check{r.onTagged("ListTagsForResource", in.ResourceType, in.ResourceId)}
		}, (*Region).listTagsForResource).Require("ResourceType", "ResourceId"),
	}
}
