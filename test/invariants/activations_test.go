package invariants_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Two leaders may have made more activations than one may have, for a while.
func TestMoreActivationsOfTwoLeadersAreForAWhile(t *testing.T) {
	for name, test := range map[string]struct {
		passes time.Duration
		want   string
	}{
		"for a minute": {time.Minute, ""},
		"for an hour":  {time.Hour, "are alive for more than"},
	} {
		t.Run(name, func(t *testing.T) {
			u, fixture := invariants.Small()
			server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			observer := invariants.NewObserver(server, u, invariants.Facts{}, testenv.DefaultOwner)
			observer.Managers(2)
			observer.DeclareActivation("proof-a/site", 2)
			for range 3 {
				activate(t, server, u, "proof-a/site")
			}
			server.Advance(test.passes)
			activate(t, server, u, "proof-a/site")
			err = observer.Holds()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("the observer says %v, want %q", err, test.want)
			}
		})
	}
}
