package invariants_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The operator cannot end a session in the very moment in which its access
// expires. A session that is open for longer is a violation.
func TestASessionMayBeOpenForAMomentAfterItsAccess(t *testing.T) {
	for name, test := range map[string]struct {
		after  time.Duration
		leaves v1alpha1.OnRevoke
		found  bool
	}{
		"at the end":                  {0, v1alpha1.RevokeTerminateSessions, false},
		"a moment after the end":      {time.Second, v1alpha1.RevokeTerminateSessions, false},
		"long after the end":          {10 * time.Second, v1alpha1.RevokeTerminateSessions, true},
		"of an access that leaves it": {10 * time.Second, v1alpha1.RevokeLeaveSessions, false},
	} {
		t.Run(name, func(t *testing.T) {
			u, fixture := invariants.Small()
			still := clock.Fixed(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
			server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1, Clock: still})
			if err != nil {
				t.Fatal(err)
			}
			observer := invariants.NewObserver(server, u, invariants.Facts{Allowed: []string{invariants.Namespace}, Users: []string{"user"}, Exist: u.People[0].As}, testenv.DefaultOwner)
			spec := invariants.Access(invariants.Namespace, "a", grant(u.People[0].As[:1], pc01)).Spec
			spec.NotAfter, spec.OnRevoke = &metav1.Time{Time: server.Now().Add(time.Hour)}, test.leaves
			observer.Declare(client.ObjectKey{Namespace: invariants.Namespace, Name: "a"}, spec)
			if err := observer.Open(invariants.Question{Person: u.People[0], Node: node(t, u, pc01), Document: u.Documents[0]}); err != nil {
				t.Fatal(err)
			}
			server.Advance(time.Hour + test.after)
			err = observer.Judge(nil)
			if found := err != nil && strings.Contains(err.Error(), "is open, and nothing declares it any more"); found != test.found {
				t.Errorf("the observer says %v", err)
			}
		})
	}
}

func node(t *testing.T, u invariants.Domain, id string) invariants.Node {
	t.Helper()
	for _, n := range u.Nodes {
		if n.ID == id {
			return n
		}
	}
	t.Fatalf("there is no node %s", id)
	return invariants.Node{}
}
