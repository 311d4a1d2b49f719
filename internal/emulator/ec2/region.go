// Package ec2 is the EC2 of one account in one region, as far as it tells
// which instances there are.
package ec2

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/wire"
)

// Region is the EC2 of one account in one region.
type Region struct {
	service.Scope
	Fleet  *fleet.Fleet
	Paging *service.Paging
}

// Service returns EC2; of finds the region that a request is about.
func Service(of func(*service.Request) *Region) *service.Service {
	return &service.Service{Name: "ec2", Dialect: wire.EC2, Operations: service.Collect([]service.Operation{
		service.Define(of, "DescribeInstances", service.Read, func(*Region, *service.Request, *sdk.DescribeInstancesInput) []service.Check {
			return anything("DescribeInstances")
		}, (*Region).describeInstances),
		service.Define(of, "DescribeRegions", service.Read, func(*Region, *service.Request, *sdk.DescribeRegionsInput) []service.Check {
			return anything("DescribeRegions")
		}, (*Region).describeRegions),
	})}
}

// anything is the check of an operation that takes no resource.
func anything(operation string) []service.Check {
	return []service.Check{{Action: "ec2:" + operation, Resource: "*"}}
}
