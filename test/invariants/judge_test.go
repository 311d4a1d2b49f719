package invariants_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const ownPath = "/ssm-access/" + testenv.DefaultOwner + "/"

// startOn is a policy that lets its holders open sessions on a node.
const startOn = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:*:*:instance/` + pc01 +
	`","arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"]}]}`

// A judge who never condemns is of no use: each of these worlds is broken in one
// way, and must be found to be.
func TestTheObserverFindsWhatIsBroken(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(*testing.T, *awsemulator.Server, *invariants.Observer, invariants.Domain)
		want   string
	}{
		"access that is not declared": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			put(t, s, u.AccountID, fixtures.Policy{Name: "ssma-x", Path: ownPath, Document: []byte(startOn)}, "user01")
		}, "which nobody has declared"},
		"a policy that is left over": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			put(t, s, u.AccountID, fixtures.Policy{Name: "ssma-x", Path: ownPath, Document: []byte(strings.Replace(startOn, "StartSession", "GetDocument", 1))}, "")
		}, "is left, and nothing is declared"},
		"a foreign policy": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			put(t, s, u.AccountID, fixtures.Policy{Name: "theirs", Path: "/", Document: []byte(startOn)}, "")
		}, "something of others was changed"},
		"another permission": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			put(t, s, u.AccountID, fixtures.Policy{Name: "ssma-x", Path: ownPath, Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:SendCommand","Resource":"*"}]}`)}, "user01")
		}, "may call"},
		"a session that is not declared": {func(t *testing.T, _ *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			if err := o.Open(invariants.Question{Person: u.People[0], Node: u.Nodes[0], Document: u.Documents[0]}); err != nil {
				t.Fatal(err)
			}
		}, "is open, and nothing declares it"},
		"a declaration that is not carried out": {func(_ *testing.T, _ *awsemulator.Server, o *invariants.Observer, _ invariants.Domain) {
			o.Declare(client.ObjectKey{Namespace: invariants.Namespace, Name: "a"}, invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01)).Spec)
		}, "may not use"},
		"a tier that is not declared": {func(_ *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			s.Account(u.AccountID).Region(u.Region).SSM.SetTier("advanced")
		}, "the tier is advanced"},
		"a document that is not there": {func(_ *testing.T, _ *awsemulator.Server, o *invariants.Observer, _ invariants.Domain) {
			o.DeclareDocument("proof-shell", "date")
		}, "document proof-shell exists: false"},
		"an activation that is not there": {func(_ *testing.T, _ *awsemulator.Server, o *invariants.Observer, _ invariants.Domain) {
			o.DeclareActivation("proof-a/site", 2)
		}, "names activation \"\", which is none of its"},
		"activations that are not withdrawn": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			o.DeclareActivation("proof-a/site", 2)
			activate(t, s, u, "proof-a/site")
			o.WithdrawActivation("proof-a/site")
		}, "1 activations of proof-a/site are left"},
		"activations without number": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			o.DeclareActivation("proof-a/site", 2)
			for range 3 {
				activate(t, s, u, "proof-a/site")
			}
		}, "3 activations of proof-a/site are alive at once"},
		"an activation of others": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			activate(t, s, u, "theirs")
		}, "an activation of others was changed"},
		"a code that is told": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			o.Search("a status", "the code is "+activate(t, s, u, "theirs"))
		}, "a status holds the code of an activation"},
		"nothing": {func(*testing.T, *awsemulator.Server, *invariants.Observer, invariants.Domain) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			u, fixture := invariants.Small()
			server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			observer := invariants.NewObserver(server, u, invariants.Facts{Allowed: []string{invariants.Namespace}, Users: []string{"user"}, Exist: u.People[0].As}, testenv.DefaultOwner)
			test.breaks(t, server, observer, u)
			err = observer.Judge(nil)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("the observer says %v, want %q", err, test.want)
			}
		})
	}
}

// put adds a policy, and a user of that name who holds it where one is given.
func put(t *testing.T, s *awsemulator.Server, account string, p fixtures.Policy, holder string) {
	t.Helper()
	directory := s.Account(account).IAM
	arn, err := directory.AddPolicy(p)
	if err != nil {
		t.Fatal(err)
	}
	if holder != "" {
		if err := directory.Attach(iam.User, holder, arn); err != nil {
			t.Fatal(err)
		}
	}
}

// activate adds an activation for two machines and returns its code.
func activate(t *testing.T, s *awsemulator.Server, u invariants.Domain, description string) string {
	t.Helper()
	code := rand.Text()
	err := s.Account(u.AccountID).Region(u.Region).SSM.LoadActivation(fixtures.Activation{
		ID: string(uuid.NewUUID()), Code: code, Role: "SSMServiceRole", Description: description, RegistrationLimit: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}
