package main

import (
	"context"
	"errors"
	"path"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
)

// What the samples in config/samples/s7 declare.
const (
	reachSamples = "config/samples/s7"
	reachAccess  = "sessionaccess/user02-step-server"
)

// playReach shows an access that is allowed and does not reach its node, how its
// status reports that, and that the report ends once the network is repaired.
func (s *stage) playReach(ctx context.Context) error {
	s.say("Permission is half of access; the other half is a node that answers. user02 gets access to one in a private subnet, which reaches Session Manager by VPC endpoints:")
	if err := s.kubectl(ctx, "apply", "-f", path.Join(reachSamples, "sessionaccess.yaml")); err != nil {
		return err
	}
	if err := s.reachable(ctx, ""); err != nil {
		return err
	}
	s.say("The VPC endpoint of ssmmessages is deleted. A user would see a black screen and no error. The permission is still in place, and the SessionAccess reports what is missing:")
	mend, err := s.env.Emulator.Break(s.env.Account.ID, s.env.Region, fixtures.S7Node, stack.SSMMessagesEndpointMissing)
	if err != nil {
		return err
	}
	if err := s.reachable(ctx, "=false"); err != nil {
		return err
	}
	s.say("The endpoint is created again, and the operator looks again:")
	if err := mend(); err != nil {
		return err
	}
	return s.reachable(ctx, "")
}

// reachable waits until TargetsReachable is true, or has another value, and shows
// the access and what the condition says.
func (s *stage) reachable(ctx context.Context, value string) error {
	if err := s.kubectl(ctx, "wait", "--for=condition=TargetsReachable"+value, reachAccess, "-n", namespace, "--timeout=60s"); err != nil {
		return errors.Join(err, s.kubectl(ctx, "get", reachAccess, "-n", namespace, "-o", "yaml"))
	}
	return errors.Join(
		s.kubectl(ctx, "get", reachAccess, "-n", namespace),
		s.kubectl(ctx, "get", reachAccess, "-n", namespace, "-o", "jsonpath={.status.conditions[?(@.type==\"TargetsReachable\")].message}{\"\\n\"}"),
	)
}
