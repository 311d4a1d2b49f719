package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// regions are those of the commercial partition that need no opting in.
var regions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
	"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

func (r *Region) describeRegions(_ *service.Request, in *sdk.DescribeRegionsInput) (*sdk.DescribeRegionsOutput, error) {
	holds, err := matcher(in.Filters, func(name, region string) ([]string, bool) {
		switch name {
		case "region-name":
			return []string{region}, true
		case "endpoint":
			return []string{endpoint(region)}, true
		case "opt-in-status":
			return []string{optInStatus}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	for _, name := range in.RegionNames {
		if !slices.Contains(regions, name) {
			return nil, wire.Errorf(400, "InvalidParameterValue", "Invalid region provided: %s", name)
		}
	}
	out := &sdk.DescribeRegionsOutput{Regions: []types.Region{}}
	for _, name := range regions {
		if holds(name) && (len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, name)) {
			out.Regions = append(out.Regions, types.Region{
				RegionName: aws.String(name), Endpoint: aws.String(endpoint(name)), OptInStatus: aws.String(optInStatus),
			})
		}
	}
	return out, nil
}

const optInStatus = "opt-in-not-required"

func endpoint(region string) string { return "ec2." + region + ".amazonaws.com" }
