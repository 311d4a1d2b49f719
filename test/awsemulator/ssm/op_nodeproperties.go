package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// describeInstanceProperties is what the consoles of Session Manager and Fleet Manager
// list. Filters are not emulated, and an error here.
func (r *Region) describeInstanceProperties(req *service.Request, in *sdk.DescribeInstancePropertiesInput) (*sdk.DescribeInstancePropertiesOutput, error) {
	if len(in.InstancePropertyFilterList) > 0 || len(in.FiltersWithOperator) > 0 {
		return nil, invalid("InvalidInstancePropertyFilterValue", "The emulator does not know the filters of DescribeInstanceProperties.")
	}
	list := ordered.New[*fleet.Node]()
	for n := range r.Fleet.Nodes().Values() {
		if n.Agent != nil {
			list = list.With(n.ID, n)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 5, high: 1000, byDefault: 50}, list)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeInstancePropertiesOutput{NextToken: p.next, InstanceProperties: make([]types.InstanceProperty, len(p.items))}
	for i, n := range p.items {
		out.InstanceProperties[i] = types.InstanceProperty{
			InstanceId: aws.String(n.ID), Name: optional(n.Name), PingStatus: pingStatus(n, req.Now), LastPingDateTime: aws.Time(n.Agent.LastPing(req.Now)),
			AgentVersion: optional(n.Agent.Version), PlatformType: types.PlatformType(n.Agent.PlatformType), PlatformName: optional(n.Agent.PlatformName),
			PlatformVersion: optional(n.Agent.PlatformVersion), ComputerName: optional(n.Agent.ComputerName), IPAddress: optional(n.Agent.IPAddress),
			InstanceState: optional(n.State), InstanceType: optional(n.Type), LaunchTime: aws.Time(n.Launched), ActivationId: optional(n.ActivationID),
			IamRole: optional(n.Role), ResourceType: aws.String(resourceType(n)),
		}
	}
	return out, nil
}

// getInventory answers that no agent has reported any inventory.
func (r *Region) getInventory(*service.Request, *sdk.GetInventoryInput) (*sdk.GetInventoryOutput, error) {
	return &sdk.GetInventoryOutput{Entities: []types.InventoryResultEntity{}}, nil
}

func resourceType(n *fleet.Node) string {
	if n.Managed {
		return string(types.ResourceTypeManagedInstance)
	}
	return string(types.ResourceTypeEc2Instance)
}
