package stack

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
)

// closeEgress removes the rules of the machine's groups that let 443 out.
func closeEgress(t target) (undo, error) { return t.closeGroups(t.groups(), true) }

// closeIngress removes the rules that let 443 into the endpoint of ssm.
func closeIngress(t target) (undo, error) {
	e, err := t.endpoint("ssm")
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, g := range e.Groups {
		groups = append(groups, aws.ToString(g.GroupId))
	}
	return t.closeGroups(groups, false)
}

func (t target) closeGroups(groups []string, egress bool) (undo, error) {
	var taken []*types.SecurityGroupRule
	err := t.Network.Update(func(s *network.State) error {
		for id, r := range s.Rules.After("") {
			if slices.Contains(groups, aws.ToString(r.GroupId)) && aws.ToBool(r.IsEgress) == egress && coversHTTPS(r) {
				taken = append(taken, r)
				s.Rules = s.Rules.Without(id)
			}
		}
		if len(taken) == 0 {
			return notHere("no rule of %v lets 443 through", groups)
		}
		return nil
	})
	return func() error {
		return t.Network.Update(func(s *network.State) error {
			for _, r := range taken {
				s.Rules = s.Rules.With(*r.SecurityGroupRuleId, r)
			}
			return nil
		})
	}, err
}

func coversHTTPS(r *types.SecurityGroupRule) bool {
	switch aws.ToString(r.IpProtocol) {
	case "-1":
		return true
	case "tcp", "6":
		return aws.ToInt32(r.FromPort) <= 443 && 443 <= aws.ToInt32(r.ToPort)
	}
	return false
}
