package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A group loses the access after a member who opened a session is gone from it.
func TestTheSessionOfAFormerMemberEndsWithTheGrantOfTheGroup(t *testing.T) {
	for name, change := range map[string]func(*emuiam.Account) error{
		"left":    func(a *emuiam.Account) error { return a.Leave("member", "operators") },
		"deleted": func(a *emuiam.Account) error { return a.RemoveEntity(emuiam.User, "member") },
		"renamed": func(a *emuiam.Account) error { return a.Rename(emuiam.User, "member", "other") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			w.Must(w.IAM().AddGroup(fixtures.Group{Name: "operators"}))
			w.Must(w.IAM().AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
			group := scenario.Access("group", "", scenario.PC01)
			group.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
			w.Create(scenario.Account(), group)
			w.AwaitAccess(group, v1alpha1.ReasonGranted)
			session := w.OpenSession(scenario.UserARN("member"), scenario.PC01)
			w.Must(change(w.IAM()))
			w.Must(w.Client.Delete(t.Context(), group))
			w.AwaitSessionEnd(session)
		})
	}
}
