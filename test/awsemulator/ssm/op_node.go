package ssm

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (r *Region) getConnectionStatus(_ *service.Request, in *sdk.GetConnectionStatusInput) (*sdk.GetConnectionStatusOutput, error) {
	status := types.ConnectionStatusNotConnected
	if n, ok := r.Fleet.Node(aws.ToString(in.Target)); ok && n.Reachable() {
		status = types.ConnectionStatusConnected
	}
	return &sdk.GetConnectionStatusOutput{Target: in.Target, Status: status}, nil
}

func (r *Region) describeInstanceInformation(req *service.Request, in *sdk.DescribeInstanceInformationInput) (*sdk.DescribeInstanceInformationOutput, error) {
	keep, err := nodeFilters(in, req.Now)
	if err != nil {
		return nil, err
	}
	nodes := ordered.New[*fleet.Node]()
	for n := range r.Fleet.Nodes().Values() {
		// Stopped instances are left out, like those that never had an agent. How long
		// those stay that are terminated has not been seen on a real account.
		if n.Agent != nil && (n.Running() || n.State == "shutting-down") && keep(n) {
			nodes = nodes.With(n.ID, n)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 5, high: 50, byDefault: 50}, nodes)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeInstanceInformationOutput{NextToken: p.next, InstanceInformationList: make([]types.InstanceInformation, len(p.items))}
	for i, n := range p.items {
		out.InstanceInformationList[i] = information(n, req.Now)
	}
	return out, nil
}

func information(n *fleet.Node, now time.Time) types.InstanceInformation {
	a := n.Agent
	info := types.InstanceInformation{
		InstanceId: aws.String(n.ID), PingStatus: pingStatus(n, now), LastPingDateTime: aws.Time(a.LastPing(now)),
		AgentVersion: optional(a.Version), IsLatestVersion: aws.Bool(true),
		PlatformType: types.PlatformType(a.PlatformType), PlatformName: optional(a.PlatformName), PlatformVersion: optional(a.PlatformVersion),
		ComputerName: optional(a.ComputerName), IPAddress: optional(a.IPAddress),
		ResourceType: types.ResourceTypeEc2Instance, SourceId: aws.String(n.ID), SourceType: types.SourceTypeAwsEc2Instance,
	}
	if n.Managed {
		info.ResourceType, info.SourceType = types.ResourceTypeManagedInstance, types.SourceTypeAwsSsmManagedinstance
		info.Name, info.RegistrationDate = aws.String(n.Name), aws.Time(n.Launched)
		info.ActivationId, info.IamRole = optional(n.ActivationID), optional(n.Role)
	}
	if n.Source.Type != "" {
		info.SourceType, info.SourceId, info.SourceLocation = types.SourceType(n.Source.Type), optional(n.Source.ID), optional(n.Source.Location)
	}
	return info
}

func pingStatus(n *fleet.Node, now time.Time) types.PingStatus {
	if n.Agent.IsOnline(now) {
		return types.PingStatusOnline
	}
	return types.PingStatusConnectionLost
}

// nodeFilters returns the condition that all filters make together. The values
// of one filter are alternatives.
func nodeFilters(in *sdk.DescribeInstanceInformationInput, now time.Time) (func(*fleet.Node) bool, error) {
	if len(in.Filters) > 0 && len(in.InstanceInformationFilterList) > 0 {
		return nil, invalid("ValidationException", "Filters and InstanceInformationFilterList cannot be given together.")
	}
	var conditions []func(*fleet.Node) bool
	tags := 0
	for _, f := range in.Filters {
		key := aws.ToString(f.Key)
		if key == "tag-key" || strings.HasPrefix(key, "tag:") {
			tags++
		}
		valueOf, ok := nodeValue(key, now)
		if !ok {
			return nil, invalid("InvalidFilterKey", "The filter key %s is not valid.", key)
		}
		conditions = append(conditions, func(n *fleet.Node) bool { return anyOf(f.Values, valueOf(n)) })
	}
	if tags > 0 && len(in.Filters) > tags {
		// That they do not combine is documented, the error's code is not.
		return nil, invalid("InvalidInstanceInformationFilterValue", "Filters by tag cannot be combined with others.")
	}
	for _, f := range in.InstanceInformationFilterList {
		valueOf, ok := nodeValue(string(f.Key), now)
		if !ok {
			return nil, invalid("InvalidFilterKey", "The filter key %s is not valid.", f.Key)
		}
		conditions = append(conditions, func(n *fleet.Node) bool { return anyOf(f.ValueSet, valueOf(n)) })
	}
	return func(n *fleet.Node) bool {
		for _, holds := range conditions {
			if !holds(n) {
				return false
			}
		}
		return true
	}, nil
}

// nodeValue returns what a filter looks at.
func nodeValue(key string, now time.Time) (func(*fleet.Node) []string, bool) {
	one := func(value func(*fleet.Node) string) (func(*fleet.Node) []string, bool) {
		return func(n *fleet.Node) []string { return []string{value(n)} }, true
	}
	switch key {
	case "InstanceIds":
		return one(func(n *fleet.Node) string { return n.ID })
	case "AgentVersion":
		return one(func(n *fleet.Node) string { return n.Agent.Version })
	case "PingStatus":
		return one(func(n *fleet.Node) string { return string(pingStatus(n, now)) })
	case "PlatformTypes":
		return one(func(n *fleet.Node) string { return n.Agent.PlatformType })
	case "ActivationIds":
		return one(func(n *fleet.Node) string { return n.ActivationID })
	case "IamRole":
		return one(func(n *fleet.Node) string { return n.Role })
	case "ResourceType":
		return one(resourceType)
	case "tag-key":
		return func(n *fleet.Node) []string {
			var keys []string
			for k := range n.Tags {
				keys = append(keys, k)
			}
			return keys
		}, true
	}
	if tag, ok := strings.CutPrefix(key, "tag:"); ok {
		return func(n *fleet.Node) []string {
			if v, ok := n.Tags[tag]; ok {
				return []string{v}
			}
			return nil
		}, true
	}
	return nil, false
}

func anyOf(wanted, have []string) bool {
	return slices.ContainsFunc(have, func(v string) bool { return slices.Contains(wanted, v) })
}
