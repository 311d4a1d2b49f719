package sessionaccess_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	sessionKey    = "3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"
	sessionKeyARN = "arn:aws:kms:" + scenario.Region + ":" + scenario.AccountID + ":key/" + sessionKey
)

// encrypted is an account whose document encrypts sessions with a key.
func encrypted(document, key string) func(*fixtures.Account) {
	return func(a *fixtures.Account) {
		r := a.Regions[scenario.Region]
		r.Keys = append(r.Keys, fixtures.Key{ID: sessionKey, Aliases: []string{"alias/sessions"}})
		content := fmt.Sprintf(`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":%q}}`, key)
		r.Documents = append(r.Documents, fixtures.Document{Name: document, Content: json.RawMessage(content)})
		a.Regions[scenario.Region] = r
	}
}

func TestTheKeyOfANamedDocumentIsGrantedHoweverItIsNamed(t *testing.T) {
	for name, key := range map[string]string{
		"its id": sessionKey, "its ARN": sessionKeyARN, "an alias": "alias/sessions",
		"the ARN of an alias": "arn:aws:kms:" + scenario.Region + ":" + scenario.AccountID + ":alias/sessions",
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval}, encrypted(v1alpha1.DefaultDocument, key))
			grant := scenario.Access("shell", "user01", scenario.PC01)
			w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"arn:aws:kms:*:" + scenario.AccountID + ":key/*"}})), grant)
			w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
			w.awaitThat(grant, func(a *v1alpha1.SessionAccess) bool {
				return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGranted &&
					a.Status.Applied.Granted.Documents[0].KMSKeyARN == sessionKeyARN &&
					scenario.Condition(a.Status.Conditions, v1alpha1.ConditionSessionKeyNotGranted).Status == ""
			})
		})
	}
}

// The key's policy lets the account use the key, and the operator not describe it.
func TestAKeyOfAnotherAccountIsGrantedWhereTheOperatorCannotReadIt(t *testing.T) {
	const foreign = "arn:aws:kms:" + scenario.Region + ":111122223333:key/11111111-2222-4333-8444-555555555555"
	for name, key := range map[string]string{"of another account": foreign, "of the account, by its id": sessionKey} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t, encrypted(v1alpha1.DefaultDocument, key))
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Error, Action: "kms:DescribeKey", Code: "AccessDeniedException", Message: "no"})
			w.Must(err)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			want := foreign
			if key == sessionKey {
				want = sessionKeyARN
			}
			grant := scenario.Access("shell", "user01", scenario.PC01)
			w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}})), grant)
			w.awaitThat(grant, func(a *v1alpha1.SessionAccess) bool {
				return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGranted &&
					a.Status.Applied.Granted.Documents[0].KMSKeyARN == want
			})
		})
	}
}

func TestAKeyThatTheNamespaceMayNotNameIsReported(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval}, encrypted("Team-Shell", sessionKey))
	grant := scenario.Access("shell", "user01", scenario.PC01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: "Team-Shell"}}
	main := scenario.Account()
	w.Create(main, grant)
	w.ExpectSentence(w.noticed(grant, v1alpha1.ConditionSessionKeyNotGranted).Message, "Team-Shell", scenario.Region, sessionKey, "sessionDocuments.keys", scenario.Team)
	if w.MayOpenWith("user01", scenario.PC01, "Team-Shell") {
		t.Error("the key is granted without a guardrail")
	}
	scenario.Change(w.World, main, scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{sessionKey}}))
	w.Eventually(func() bool { return w.MayOpenWith("user01", scenario.PC01, "Team-Shell") })
	w.awaitThat(grant, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionSessionKeyNotGranted).Status == ""
	})
}

// awaitThat waits until something holds of a SessionAccess.
func (w world) awaitThat(obj *v1alpha1.SessionAccess, holds func(*v1alpha1.SessionAccess) bool) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, obj, holds)
	w.Must(err)
}
