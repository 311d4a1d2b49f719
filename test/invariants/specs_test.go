package invariants_test

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// often draws from the common values, and seldom from the odd ones.
func often[T any](t *rapid.T, label string, common, odd []T) T {
	if evenly(t, label+" odd", 16) == 15 {
		return drawn(t, label, odd...)
	}
	return drawn(t, label, common...)
}

// drawn draws one of some values.
func drawn[T any](t *rapid.T, label string, values ...T) T {
	return values[evenly(t, label, len(values))]
}

// evenly draws a number below n. The numbers of the library itself are mostly
// small, and would hardly ever draw the last entries of a list.
func evenly(t *rapid.T, label string, n int) int {
	number := 0
	for range 6 {
		number *= 2
		if rapid.Bool().Draw(t, label) {
			number++
		}
	}
	return number % n
}

// specs draws a spec: every field set or left out, valid or not. Its times are
// relative to its declaration.
func specs(t *rapid.T) (at func(time.Time) v1alpha1.SessionAccessSpec, text string) {
	s := v1alpha1.SessionAccessSpec{
		Principals:   rapid.SliceOfNDistinct(rapid.Custom(principals), 1, 3, func(p v1alpha1.Principal) v1alpha1.Principal { return p }).Draw(t, "principals"),
		Targets:      rapid.SliceOfN(rapid.Custom(targets), 1, 2).Draw(t, "targets"),
		Documents:    rapid.SliceOfN(rapid.Custom(documents), 0, 2).Draw(t, "documents"),
		Regions:      often(t, "regions", [][]v1alpha1.Region{nil, {"ap-northeast-1"}}, [][]v1alpha1.Region{{"us-east-1"}, {"nowhere"}}),
		Clients:      often(t, "clients", [][]v1alpha1.Client{nil, {v1alpha1.ClientCLI}}, [][]v1alpha1.Client{{v1alpha1.ClientEC2Console, v1alpha1.ClientCLI}, {"Telnet"}}),
		SessionScope: often(t, "scope", []v1alpha1.SessionScope{"", v1alpha1.ScopeUsername, v1alpha1.ScopeOwnerTag}, []v1alpha1.SessionScope{"Nobody"}),
		RequireMFA:   often(t, "mfa", []bool{false}, []bool{true}),
		SourceCIDRs:  often(t, "sources", [][]v1alpha1.CIDR{nil, nil, {"203.0.113.0/24"}}, [][]v1alpha1.CIDR{{"198.51.100.0/24", "203.0.113.7/32"}, {"203.0.113.7/24"}, {"2001:db8::/32"}}),
		OnRevoke:     often(t, "onRevoke", []v1alpha1.OnRevoke{""}, []v1alpha1.OnRevoke{v1alpha1.RevokeLeaveSessions, "Shout"}),
		Reason:       often(t, "reason", []string{"", "ticket 1"}, []string{`"}],"Effect":"Allow" ${aws:userid}`}),
	}
	begin := often(t, "begin", []time.Duration{0}, []time.Duration{-time.Hour, 30 * time.Minute})
	end := often(t, "end", []time.Duration{0, 12 * time.Hour}, []time.Duration{-time.Minute, 30 * time.Minute})
	body, err := json.Marshal(s)
	if err != nil {
		body = []byte(err.Error())
	}
	return func(now time.Time) v1alpha1.SessionAccessSpec {
		s := *s.DeepCopy()
		s.NotBefore, s.NotAfter = after(now, begin), after(now, end)
		return s
	}, string(body) + " from " + begin.String() + " to " + end.String()
}

func after(now time.Time, d time.Duration) *metav1.Time {
	if d == 0 {
		return nil
	}
	return new(metav1.NewTime(now.Add(d)))
}

func principals(t *rapid.T) v1alpha1.Principal {
	return often(t, "principal",
		people(user("user01"), user("user02"), group("operators"), v1alpha1.Principal{Kind: v1alpha1.PrincipalRole, Name: "deploy"}),
		people(user("User01"), user("ghost"), user("admin"), user("arn:aws:iam::488821267897:user/user01"), user("user*"),
			v1alpha1.Principal{Kind: v1alpha1.PrincipalPermissionSet, Name: "Ops"}))
}

func targets(t *rapid.T) v1alpha1.Target {
	return often(t, "target",
		[]v1alpha1.Target{
			{InstanceIDs: []v1alpha1.InstanceID{pc01}},
			{InstanceIDs: []v1alpha1.InstanceID{pc01, pc02}},
			{InstanceIDs: []v1alpha1.InstanceID{"mi-0123456789abcdef0"}},
			{Tags: map[string]string{"Env": "stg"}},
			{Tags: map[string]string{"role": "web"}},
			{Tags: map[string]string{"Env": "prod", "Role": "web"}},
			{ActivationRef: &v1alpha1.LocalReference{Name: "site"}},
		},
		[]v1alpha1.Target{
			{InstanceIDs: []v1alpha1.InstanceID{"i-*"}},
			{Tags: map[string]string{"Env": "*"}},
			{Tags: map[string]string{"Env": "${aws:username}"}},
			{Tags: map[string]string{"Env": "a", "env": "b"}},
			{InstanceIDs: []v1alpha1.InstanceID{pc01}, Tags: map[string]string{"Env": "stg"}},
			{ActivationRef: &v1alpha1.LocalReference{Name: "nothing"}},
			{},
		})
}

func documents(t *rapid.T) v1alpha1.DocumentReference {
	return often(t, "document",
		[]v1alpha1.DocumentReference{
			{Name: "Shell"},
			{Name: v1alpha1.DefaultDocument},
			{Name: "AWS-StartPortForwardingSession"},
			{Ref: &v1alpha1.LocalReference{Name: "proof-shell"}},
			{Ref: &v1alpha1.LocalReference{Name: "named"}},
		},
		[]v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "nothing"}}, {Name: "*"}, {Name: "arn:aws:ssm:::document/Shell"}, {}})
}
