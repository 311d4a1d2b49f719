package hybridactivation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTheAPIServerRejectsBadActivationsWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	long := strings.Repeat("x", 65)
	for name, c := range map[string]struct {
		change func(*v1alpha1.HybridActivationSpec)
		says   string
	}{
		"no registration":              {func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(0)) }, "registrationLimit is from 1 to 1000"},
		"1001 registrations":           {func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(1001)) }, "registrationLimit is from 1 to 1000"},
		"valid for 31 days":            {scenario.ValidFor(31 * 24 * time.Hour), "from 1h to 720h (30 days"},
		"valid for a minute":           {scenario.ValidFor(time.Minute), "from 1h to 720h"},
		"the ARN of a role":            {func(s *v1alpha1.HybridActivationSpec) { s.Role = "arn:aws:iam::488821267897:role/SSMServiceRole" }, "role is a name, not an ARN"},
		"a path that begins too early": {func(s *v1alpha1.HybridActivationSpec) { s.Role = "/service-role/SSMServiceRole" }, "no slash at the begin"},
		"a path without a role":        {func(s *v1alpha1.HybridActivationSpec) { s.Role = "service-role/" }, "service-role/NAME"},
		"a path that is too long":      {func(s *v1alpha1.HybridActivationSpec) { s.Role = "service-role/" + long[:60] }, "at most 64"},
		"a role of 65 letters":         {func(s *v1alpha1.HybridActivationSpec) { s.Role = long }, "at most 64"},
		"no role":                      {func(s *v1alpha1.HybridActivationSpec) { s.Role = "" }, "role"},
		"a region out of form":         {func(s *v1alpha1.HybridActivationSpec) { s.Region = "tokyo" }, "as AWS spells it"},
		"rotated as soon as made":      {func(s *v1alpha1.HybridActivationSpec) { s.RotateBefore = &metav1.Duration{Duration: 24 * time.Hour} }, "rotateBefore must be shorter than validFor"},
		"rotated too late":             {func(s *v1alpha1.HybridActivationSpec) { s.RotateBefore = &metav1.Duration{Duration: time.Second} }, "at least 1m"},
		"a name that AWS refuses":      {func(s *v1alpha1.HybridActivationSpec) { s.DefaultInstanceName = "a;b" }, "letters, digits, spaces"},
		"a reserved tag":               {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"SSM-Access.dev/activation": "x"} }, "reserved"},
		"a tag of AWS":                 {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"aws:x": "x"} }, "reserved"},
		"tag keys that differ in case": {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": "a", "env": "b"} }, "differ only in case"},
		"a long tag value":             {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": strings.Repeat("x", 257)} }, "at most 256"},
		"a Secret's name out of form":  {func(s *v1alpha1.HybridActivationSpec) { s.SecretName = "Sites" }, "lower-case letters"},
		"nodes neither kept nor gone":  {func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = "Reboot" }, "Keep"},
	} {
		obj := scenario.Activation("bad", c.change)
		if err := w.Client.Create(t.Context(), obj); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the API server says %v, want %q", name, err, c.says)
			if err == nil {
				w.Must(w.Client.Delete(t.Context(), obj))
			}
		}
	}
	good := scenario.Activation("good", scenario.ValidFor(720*time.Hour), func(s *v1alpha1.HybridActivationSpec) {
		s.Tags = map[string]string{"拠点": "東京 1"}
	})
	w.Create(good)
	if s := good.Spec; good.NodeDeletionPolicy() != v1alpha1.NodesKeep || *s.RegistrationLimit != 10 {
		t.Errorf("the spec is %+v", s)
	}
	for field, edit := range map[string]func(*v1alpha1.HybridActivationSpec){
		"accountRef": func(s *v1alpha1.HybridActivationSpec) { s.AccountRef.Name = "other" },
		"region":     func(s *v1alpha1.HybridActivationSpec) { s.Region = "us-east-1" },
	} {
		changed := good.DeepCopy()
		edit(&changed.Spec)
		if err := w.Client.Patch(t.Context(), changed, client.MergeFrom(good)); err == nil || !strings.Contains(err.Error(), field+" cannot be changed") {
			t.Errorf("the API server says %v", err)
		}
	}
}

func TestTheAPIServerDefaultsActivations(t *testing.T) {
	w := worldWithoutManager(t)
	obj := &v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Name: "plain", Namespace: scenario.Team},
		Spec: v1alpha1.HybridActivationSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"}, Region: scenario.Region, Role: scenario.ServiceRole,
		},
	}
	w.Create(obj)
	if s := obj.Spec; *s.RegistrationLimit != 1 || s.ValidFor.Duration != 24*time.Hour || obj.NodeDeletionPolicy() != v1alpha1.NodesKeep {
		t.Errorf("the spec is %+v", s)
	}
	for raw, says := range map[string]string{`"31d"`: "from 1h to 720h", `"a day"`: "from 1h to 720h", `24`: "validFor"} {
		patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"spec":{"validFor":%s}}`, raw)))
		if err := w.Client.Patch(t.Context(), obj, patch); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "conversion") {
			t.Errorf("for the time %s the API server says: %v", raw, err)
		}
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	few := func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = new(int32(5)) }
	for name, c := range map[string]struct {
		account *v1alpha1.AWSAccount
		change  func(*v1alpha1.HybridActivationSpec)
		reason  string
		says    []string
	}{
		"no guardrail":           {scenario.Account(), nil, v1alpha1.ReasonGuardrailViolated, []string{"no guardrail with activations", scenario.ServiceRole}},
		"too many for a rule":    {scenario.Account(scenario.AllowActivations(few)), nil, v1alpha1.ReasonGuardrailViolated, []string{"registrationLimit", "activations"}},
		"another region":         {scenario.Account(scenario.AllowActivations()), func(s *v1alpha1.HybridActivationSpec) { s.Region = "us-east-1" }, v1alpha1.ReasonRegionNotAllowed, []string{"us-east-1"}},
		"a tag that AWS refuses": {scenario.Account(scenario.AllowActivations()), func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": "a;b"} }, v1alpha1.ReasonInvalidSpec, []string{"Env=a;b", "letters, digits"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := scenario.Activation("sites")
			if c.change != nil {
				c.change(&obj.Spec)
			}
			w.Create(c.account, obj)
			got := w.AwaitActivation(obj, c.reason)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, c.says...)
			if len(w.Activations()) != 0 {
				t.Error("an activation was made")
			}
			if got.Status.Record != nil && got.Status.Record.Pending != nil {
				t.Errorf("a request is pending: %+v", got.Status.Record.Pending)
			}
		})
	}
}
