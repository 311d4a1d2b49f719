package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// What the samples in config/samples/s1 and the emulator's fixture hold.
const (
	samples   = "config/samples/s1"
	namespace = "team-a"
)

// Of sessions that are to end.
const (
	askAgain    = 100 * time.Millisecond
	stepTimeout = 30 * time.Second
)

var (
	users   = []string{"user01", "user02"}
	nodes   = []string{"PC01", "PC02"}
	nodeIDs = map[string]string{"PC01": "i-051cac51072605f39", "PC02": "i-0ee187d8794b12114"}
)

// play shows one act after another: two users and two instances, a session
// document, a machine that is no EC2 instance, one that is not reached, and the end
// of it all.
func (s *stage) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{s.playAccess, s.playDocument, s.playHybrid, s.playReach, s.leave} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// playAccess shows access that a manifest grants, and that ends with the
// manifest.
func (s *stage) playAccess(ctx context.Context) error {
	s.say("Nobody has been granted anything yet. Each user tries to open a session on each instance:")
	if err := s.expect(ctx, nil); err != nil {
		return err
	}
	s.say("Two manifests say that user01 may open sessions on PC01, and user02 on PC02.")
	if err := s.apply(ctx); err != nil {
		return err
	}
	if err := s.showPolicy(ctx, "user01"); err != nil {
		return err
	}
	s.say("Each user tries again:")
	if err := s.expect(ctx, map[string]string{"user01": "PC01", "user02": "PC02"}); err != nil {
		return err
	}
	return s.revoke(ctx)
}

// revoke takes the access of user01 away while sessions are open.
func (s *stage) revoke(ctx context.Context) error {
	first, second := session{"user01", "PC01"}, session{"user02", "PC02"}
	s.say("Both leave a session open on their own instance. This is the terminal of user01:")
	live, err := s.openTerminal(ctx, first)
	if err != nil {
		return err
	}
	defer live.close()
	if err := errors.Join(live.show(ctx, "id -un"), live.show(ctx, "hostname"), open(ctx, s.env, second, nodeIDs)); err != nil {
		return err
	}
	if err := s.expectOpen(ctx, first, second); err != nil {
		return err
	}
	s.say("The manifest of user01 is deleted.")
	if err := s.remove(ctx, "user01-pc01"); err != nil {
		return err
	}
	s.say("The last line in the terminal of user01:")
	if err := live.lastLine(ctx); err != nil {
		return err
	}
	s.say("Each user tries once more:")
	if err := s.expect(ctx, map[string]string{"user02": "PC02"}); err != nil {
		return err
	}
	s.say("Of the open sessions, that of user01 has ended:")
	return s.expectOpen(ctx, second)
}

// remove deletes a SessionAccess, and returns when its permission is gone.
func (s *stage) remove(ctx context.Context, name string) error {
	object := "sessionaccess/" + name
	if err := s.kubectl(ctx, "delete", object, "-n", namespace, "--wait=false"); err != nil {
		return err
	}
	if err := s.kubectl(ctx, "wait", object, "-n", namespace, "--for=jsonpath={.status.revocation.permissionGoneAt}", "--timeout=60s"); err != nil {
		return errors.Join(err, s.kubectl(ctx, "get", object, "-n", namespace, "-o", "yaml"))
	}
	s.say("The object stays for a minute more, and says why:")
	return s.kubectl(ctx, "get", object, "-n", namespace, "-o", "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}{\"\\n\"}")
}

// apply applies the samples and shows them once they are ready.
func (s *stage) apply(ctx context.Context) error {
	if err := s.kubectl(ctx, "apply", "-k", samples); err != nil {
		return err
	}
	err := s.kubectl(ctx, "wait", "--for=condition=Ready", "awsaccount,sessionaccess", "--all", "--all-namespaces", "--timeout=60s")
	// The listing also shows why an object is not ready.
	return errors.Join(err, s.kubectl(ctx, "get", "awsaccount"), s.kubectl(ctx, "get", "sessionaccess", "-n", namespace))
}

// showPolicy shows what IAM holds for a user.
func (s *stage) showPolicy(ctx context.Context, user string) error {
	arns, documents, err := attachedPolicies(ctx, s.env.AWSConfig(s.env.Credentials("admin")), user)
	if err != nil {
		return err
	}
	if len(arns) == 0 {
		return fmt.Errorf("the SessionAccess of %s is ready, and IAM has no policy attached to %s", user, user)
	}
	for _, arn := range arns {
		s.say("What IAM has attached to %s is %s:\n\n%s", user, arn, documents[arn])
	}
	return nil
}

// expect makes every user try every node, shows what AWS answers, and fails
// where the answers differ from may: each user may reach one node, or none.
func (s *stage) expect(ctx context.Context, may map[string]string) error {
	got, err := tryAll(ctx, s.env, users, nodes, nodeIDs)
	if err != nil {
		return err
	}
	got.print(s.out)
	if differences := got.differences(declared(users, nodes, may)); len(differences) > 0 {
		return errors.New(strings.Join(differences, "\n"))
	}
	return nil
}

// expectOpen shows which sessions are open, and fails where they never match
// want. AWS sends no notification about sessions, so expectOpen lists them
// until they do.
func (s *stage) expectOpen(ctx context.Context, want ...session) error {
	var got []session
	err := wait.PollUntilContextTimeout(ctx, askAgain, stepTimeout, true, func(ctx context.Context) (done bool, err error) {
		got, err = listOpen(ctx, s.env, nodeIDs)
		return slices.Equal(got, want), err
	})
	printSessions(s.out, got)
	if err != nil {
		return fmt.Errorf("wait for these sessions to be open, and no other, %v: %w", want, err)
	}
	return nil
}
