// Package ec2 is the EC2 of one account in one region, as far as it describes
// which instances there are and how they are connected.
package ec2

import (
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Region is the EC2 of one account in one region.
type Region struct {
	service.Scope
	Fleet   *fleet.Fleet
	Network *network.Network
	Paging  *service.Paging
	// Profile finds the ARN and id of an instance profile by its name.
	Profile func(name string) (arn, id string, ok bool)
}

// Service returns EC2; of finds the region that a request is about.
func Service(of func(*service.Request) *Region) *service.Service {
	return &service.Service{Name: "ec2", Dialect: wire.EC2, Operations: service.Collect([]service.Operation{
		read(of, "DescribeInstances", (*Region).describeInstances),
		read(of, "DescribeRegions", (*Region).describeRegions),
	}, networkOperations(of))}
}

// anything is the check of an operation that takes no resource.
func anything(operation string) []service.Check {
	return []service.Check{{Action: "ec2:" + operation, Resource: "*"}}
}
