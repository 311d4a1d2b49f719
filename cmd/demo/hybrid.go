package main

import (
	"context"
	"errors"
	"path"
)

// What the samples in config/samples/s5 declare.
const (
	hybridSamples = "config/samples/s5"
	secretName    = "site-activation"
)

// playHybrid shows a machine that is no EC2 instance: it registers, and is
// reached once the tier allows it.
func (s *stage) playHybrid(ctx context.Context) error {
	s.say("A machine that is no EC2 instance registers with an activation. The activation is declared, and the access of user02 to all nodes that register with it.")
	args := []string{"apply"}
	for _, file := range []string{"hybridactivation", "sessionaccess"} {
		args = append(args, "-f", path.Join(hybridSamples, file+".yaml"))
	}
	if err := s.kubectl(ctx, args...); err != nil {
		return err
	}
	if err := s.kubectl(ctx, "wait", "--for=condition=Ready", "hybridactivation/site", "sessionaccess/user02-site", "-n", namespace, "--timeout=60s"); err != nil {
		return errors.Join(err, s.kubectl(ctx, "get", "hybridactivation,sessionaccess", "-n", namespace, "-o", "yaml"))
	}
	s.say("Its Secret has what the machine needs, ready to run:")
	if err := s.kubectl(ctx, "get", "secret", secretName, "-n", namespace, "-o", "go-template={{range $key, $value := .data}}{{$key}}{{\"\\n\"}}{{end}}"); err != nil {
		return err
	}
	node, err := s.registerMachine(ctx)
	if err != nil {
		return err
	}
	s.say("The machine registers, and is %s.", node)
	return s.advance(ctx, node)
}

// advance shows that the tier keeps the node from being reached, and mends it.
func (s *stage) advance(ctx context.Context, node string) error {
	s.say("IAM allows user02 to reach it, and the instances tier does not. The SessionAccess says so, and what to do:")
	object := "sessionaccess/user02-site"
	if err := s.kubectl(ctx, "wait", "--for=condition=TierBlocksSessions", object, "-n", namespace, "--timeout=60s"); err != nil {
		return errors.Join(err, s.kubectl(ctx, "get", object, "-n", namespace, "-o", "yaml"))
	}
	if err := s.kubectl(ctx, "get", object, "-n", namespace, "-o", "jsonpath={.status.conditions[?(@.type==\"TierBlocksSessions\")].message}{\"\\n\"}"); err != nil {
		return err
	}
	if err := s.attempts(ctx, attempt{user: "user02", node: node, id: node, want: tierMissing}); err != nil {
		return err
	}
	s.say("So the tier is declared. AWS takes minutes for it, the emulator seconds:")
	if err := s.kubectl(ctx, "apply", "-f", path.Join(hybridSamples, "accounttier.yaml")); err != nil {
		return err
	}
	err := s.kubectl(ctx, "wait", "--for=condition=Ready", "accounttier/main", "--timeout=60s")
	if err := errors.Join(err, s.kubectl(ctx, "get", "accounttier")); err != nil {
		return err
	}
	return s.attempts(ctx,
		attempt{user: "user02", node: node, id: node, want: opens},
		attempt{user: "user01", node: node, id: node, want: denied},
	)
}
