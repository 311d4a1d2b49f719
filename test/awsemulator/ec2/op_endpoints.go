package ec2

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// maxEndpoints is the most that a page holds.
const maxEndpoints = 1000

func (r *Region) describeVpcEndpoints(_ *service.Request, in *sdk.DescribeVpcEndpointsInput) (*sdk.DescribeVpcEndpointsOutput, error) {
	// More than the most is no error here.
	most := in.MaxResults
	if aws.ToInt32(most) > maxEndpoints {
		most = aws.Int32(maxEndpoints)
	}
	page, next, err := list(r, listing[types.VpcEndpoint]{
		items: r.Network.State().Endpoints, ids: in.VpcEndpointIds, missing: "InvalidVpcEndpointId.NotFound", noun: "Vpc Endpoint",
		filters: in.Filters, values: endpointValues, token: in.NextToken, max: most, low: 1, high: maxEndpoints,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeVpcEndpointsOutput{NextToken: next, VpcEndpoints: page}, nil
}

func endpointValues(name string, e *types.VpcEndpoint) ([]string, bool) {
	switch name {
	case "vpc-endpoint-id":
		return one(e.VpcEndpointId)
	case "vpc-endpoint-type":
		return one(&e.VpcEndpointType)
	case "vpc-endpoint-state":
		// Filters are documented in lower camel case, whatever answers have.
		state := string(e.State)
		if state != "" {
			state = strings.ToLower(state[:1]) + state[1:]
		}
		return one(&state)
	case "vpc-id":
		return one(e.VpcId)
	case "service-name":
		return one(e.ServiceName)
	case "ip-address-type":
		return one(&e.IpAddressType)
	case "owner-id":
		return one(e.OwnerId)
	}
	return tagValues(name, e.Tags)
}
