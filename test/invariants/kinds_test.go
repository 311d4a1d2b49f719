package invariants_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// allowedLabel is on the namespaces that may use the account at first.
var allowedLabel = map[string]string{"proof": "allowed"}

// documentObjects draws a SessionDocument. One object has a name in AWS that is not
// its own.
func documentObjects(t *rapid.T) client.Object {
	d := &v1alpha1.SessionDocument{ObjectMeta: metav1.ObjectMeta{Namespace: namespaces(t), Name: drawn(t, "document", "proof-shell", "proof-shell", "named")}}
	// The names are of both namespaces, and a document belongs to one object.
	if d.Namespace == invariants.OtherNamespace {
		d.Name = "other-shell"
	}
	if d.Name == "named" {
		d.Spec.Name = "proof-named"
	}
	s := &d.Spec
	s.AccountRef.Name = invariants.AccountName
	s.Regions = often(t, "regions", [][]v1alpha1.Region{nil, {"ap-northeast-1"}}, [][]v1alpha1.Region{{"us-east-1"}, {"nowhere"}})
	s.Description = often(t, "description", []string{"", "a shell"}, []string{"{{ ssm:secret }}"})
	s.Tags = often(t, "tags", []map[string]string{nil, {"Env": "stg"}}, []map[string]string{{"aws:x": "y"}})
	s.SharedWith = often(t, "sharedWith", [][]v1alpha1.ShareTarget{nil}, [][]v1alpha1.ShareTarget{{"111111111111"}, {"all"}})
	s.Adopt = often(t, "adopt", []bool{false}, []bool{true})
	s.Promotion = often(t, "promotion", []v1alpha1.Promotion{"", v1alpha1.PromotionAutomatic}, []v1alpha1.Promotion{v1alpha1.PromotionManual, "Never"})
	s.DefaultVersion = often(t, "defaultVersion", []int64{0}, []int64{1, 9, -1})
	s.KeepVersions = often(t, "keepVersions", []int32{0, 1, 5}, []int32{501})
	// Keep is left out: what it leaves has no owner, and the judge counts it as left
	// over.
	s.DeletionPolicy = often(t, "deletionPolicy", []v1alpha1.DeletionPolicy{"", v1alpha1.DeletionRestore, v1alpha1.DeletionDelete}, []v1alpha1.DeletionPolicy{"Burn"})
	s.OnDelete = drawn(t, "onDelete", "", v1alpha1.DeletionDelete) //nolint:staticcheck // The former name still works.
	s.SessionType = often(t, "sessionType", []v1alpha1.SessionType{"", v1alpha1.SessionStandardStream, v1alpha1.SessionInteractiveCommands, v1alpha1.SessionPort}, []v1alpha1.SessionType{"Video"})
	switch s.SessionType {
	case v1alpha1.SessionInteractiveCommands:
		s.Parameters, s.Properties = parameters(t), commands(t)
	case v1alpha1.SessionPort:
		s.Properties = ports(t)
	default:
		s.Inputs = inputs(t)
	}
	return d
}

func inputs(t *rapid.T) *v1alpha1.SessionInputs {
	return &v1alpha1.SessionInputs{
		S3BucketName:                new(often(t, "bucket", []string{""}, []string{"logs", "No Bucket"})),
		S3KeyPrefix:                 new(often(t, "prefix", []string{""}, []string{"sessions"})),
		S3EncryptionEnabled:         new(often(t, "encrypted", []bool{false}, []bool{true})),
		CloudWatchLogGroupName:      new(often(t, "group", []string{""}, []string{"/sessions", "no group"})),
		CloudWatchEncryptionEnabled: new(often(t, "encrypted", []bool{false}, []bool{true})),
		CloudWatchStreamingEnabled:  new(often(t, "streaming", []bool{false}, []bool{true})),
		KMSKeyID:                    new(often(t, "key", []string{""}, []string{"alias/sessions", "no key"})),
		RunAsEnabled:                new(drawn(t, "runAs", false, true)),
		RunAsDefaultUser:            new(often(t, "runAsUser", []string{"", "web"}, []string{"no user; reboot"})),
		IdleSessionTimeout:          new(often(t, "idle", []string{"", "20", "60"}, []string{"0", "x"})),
		MaxSessionDuration:          new(often(t, "duration", []string{"", "60", "1440"}, []string{"1441"})),
		ShellProfile: &v1alpha1.ShellProfile{
			Linux: drawn(t, "linux", "date", "id"), Windows: drawn(t, "windows", "", "Get-Date"),
		},
	}
}

func parameters(t *rapid.T) []v1alpha1.DocumentParameter {
	p := v1alpha1.DocumentParameter{
		Name: often(t, "parameter", []string{"word"}, []string{"no word"}), Type: drawn(t, "type", "", v1alpha1.ParameterString),
		Description: drawn(t, "description", "", "a word"), Default: drawn(t, "default", nil, new("yes")),
		AllowedPattern: drawn(t, "pattern", "", "^[a-z]+$"),
		AllowedValues:  often(t, "values", [][]string{nil, {"yes", "no"}}, [][]string{{"no"}}),
		MinChars:       drawn(t, "minChars", nil, new(int32(2))), MaxChars: often(t, "maxChars", []*int32{nil, new(int32(3))}, []*int32{new(int32(1))}),
		DisplayType:       drawn(t, "displayType", "", v1alpha1.DisplayTextField, v1alpha1.DisplayTextArea),
		InterpolationType: drawn(t, "interpolationType", "", v1alpha1.InterpolationEnvironment),
	}
	words := v1alpha1.DocumentParameter{
		Name: "words", Type: often(t, "type of words", []v1alpha1.ParameterType{v1alpha1.ParameterStringList}, []v1alpha1.ParameterType{v1alpha1.ParameterString}),
		DefaultList: drawn(t, "default of words", nil, []string{"yes"}, []string{"yes", "no"}),
		MinItems:    drawn(t, "minItems", nil, new(int32(1))), MaxItems: often(t, "maxItems", []*int32{nil, new(int32(2))}, []*int32{new(int32(0))}),
	}
	settings := v1alpha1.DocumentParameter{
		Name: "settings", Type: often(t, "type of settings", []v1alpha1.ParameterType{v1alpha1.ParameterStringMap}, []v1alpha1.ParameterType{v1alpha1.ParameterStringList}),
		DefaultMap: drawn(t, "default of settings", nil, map[string]string{"a": "yes"}),
	}
	return drawn(t, "parameters", nil, []v1alpha1.DocumentParameter{p}, []v1alpha1.DocumentParameter{p, words, settings})
}

func commands(t *rapid.T) *v1alpha1.SessionProperties {
	of := func(platform, command string, elevated ...bool) *v1alpha1.CommandProperties {
		return drawn(t, platform, nil, &v1alpha1.CommandProperties{Commands: command, RunAsElevated: drawn(t, platform+" elevated", elevated...)})
	}
	return &v1alpha1.SessionProperties{Linux: of("linux", "date", false, true), Windows: of("windows", "Get-Date", false, true), MacOS: of("macOS", "date", false, true)}
}

func ports(t *rapid.T) *v1alpha1.SessionProperties {
	return &v1alpha1.SessionProperties{
		PortNumber: often(t, "port", []string{"22", "443"}, []string{"", "70000"}), LocalPortNumber: drawn(t, "localPort", "", "2222"),
		Type: often(t, "type", []v1alpha1.PortForwardingType{"", v1alpha1.LocalPortForwarding}, []v1alpha1.PortForwardingType{"Remote"}),
		Host: drawn(t, "host", "", "db.example.com"),
	}
}

// activationObjects draws a HybridActivation. The judge identifies the
// activations in AWS by its description.
func activationObjects(t *rapid.T) client.Object {
	a := invariants.Activation(namespaces(t), "site", 2)
	s := &a.Spec
	s.Region = often(t, "region", []v1alpha1.Region{"ap-northeast-1"}, []v1alpha1.Region{"nowhere"})
	s.Role = often(t, "role", []string{s.Role}, []string{"Nobody", "arn:aws:iam::488821267897:role/x"})
	s.RegistrationLimit = often(t, "limit", []*int32{new(int32(2)), new(int32(3))}, []*int32{nil, new(int32(1001))})
	s.ValidFor = often(t, "validFor", durations(0, 48*time.Hour), durations(time.Minute))
	s.RotateBefore = often(t, "rotateBefore", durations(0, 2*time.Hour), durations(100*time.Hour))
	s.DefaultInstanceName = often(t, "instanceName", []string{"", "machine"}, []string{"<x>"})
	s.Tags = often(t, "tags", []map[string]string{nil, {"Env": "stg"}, {"Role": "web"}}, []map[string]string{{"aws:x": "y"}})
	s.SecretName = often(t, "secretName", []string{"", "code"}, []string{"../x"})
	s.Replenish = drawn(t, "replenish", false, true)
	s.NodeDeletionPolicy = often(t, "nodes", []v1alpha1.NodeDeletionPolicy{"", v1alpha1.NodesKeep, v1alpha1.NodesDeregister}, []v1alpha1.NodeDeletionPolicy{"Burn"})
	s.OnDelete.Nodes = drawn(t, "onDelete", "", v1alpha1.NodesDeregister) //nolint:staticcheck // The former name still works.
	return a
}

// durations are some, 0 being none.
func durations(list ...time.Duration) []*metav1.Duration {
	var all []*metav1.Duration
	for _, d := range list {
		if d == 0 {
			all = append(all, nil)
			continue
		}
		all = append(all, &metav1.Duration{Duration: d})
	}
	return all
}

func tierObjects(t *rapid.T) client.Object {
	tier := invariants.Tier(often(t, "tier", []v1alpha1.Tier{v1alpha1.TierStandard, v1alpha1.TierAdvanced}, []v1alpha1.Tier{"Premium"}))
	tier.Spec.Regions = often(t, "regions", [][]v1alpha1.Region{nil, {"ap-northeast-1"}}, [][]v1alpha1.Region{{"nowhere"}})
	tier.Spec.DeletionPolicy = drawn(t, "deletionPolicy", "", v1alpha1.DeletionRestore, v1alpha1.DeletionKeep)
	tier.Spec.OnDelete = drawn(t, "onDelete", "", v1alpha1.DeletionKeep) //nolint:staticcheck // The former name still works.
	tier.Spec.Price.PerNodeHour = often(t, "price", []string{"", "0.01"}, []string{"a lot"})
	return tier
}

// accountObjects draws changes to the account of a harness: its first guardrail stays,
// and there may be another.
func accountObjects(t *rapid.T, h *v1alpha1.AWSAccount) client.Object {
	a := h.DeepCopy()
	s := &a.Spec
	s.Mode = drawn(t, "mode", "", v1alpha1.ModeEnforce, v1alpha1.ModeObserve)
	s.DataChannelScope = drawn(t, "channels", "", v1alpha1.DataChannelOwn, v1alpha1.DataChannelAccount)
	s.SessionTermination = drawn(t, "termination", "", v1alpha1.TerminationRequired, v1alpha1.TerminationBestEffort)
	s.RecreatedPrincipals = drawn(t, "recreated", "", v1alpha1.RecreatedHold, v1alpha1.RecreatedGrant)
	s.ForceDeletion = drawn(t, "forceDeletion", "", v1alpha1.ForceDeletionAllowed, v1alpha1.ForceDeletionForbidden)
	s.AllowAbandon = drawn(t, "allowAbandon", false, true) //nolint:staticcheck // The former name still works.
	s.AllowedNamespaces = often(t, "namespaces", []v1alpha1.AllowedNamespaces{
		s.AllowedNamespaces,
		{From: v1alpha1.NamespacesAll},
		{From: v1alpha1.NamespacesNone},
		{From: v1alpha1.NamespacesSelector, Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "proof", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"allowed"}},
		}}},
	}, []v1alpha1.AllowedNamespaces{{From: v1alpha1.NamespacesAll, Selector: &metav1.LabelSelector{}}, {From: "Some"}})
	if drawn(t, "another guardrail", false, true) {
		s.Guardrails = append(s.Guardrails, guardrails(t))
	}
	return a
}

func guardrails(t *rapid.T) v1alpha1.Guardrail {
	patterns := func(kinds ...v1alpha1.PrincipalKind) []v1alpha1.PrincipalPattern {
		var all []v1alpha1.PrincipalPattern
		for _, kind := range kinds {
			all = append(all, v1alpha1.PrincipalPattern{Kind: kind, Name: "*"})
		}
		return all
	}
	r := v1alpha1.Guardrail{
		Name: often(t, "rule", []string{"another"}, []string{"people"}),
		NamespaceSelector: drawn(t, "bounded", &metav1.LabelSelector{}, &metav1.LabelSelector{MatchLabels: allowedLabel},
			&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "proof", Operator: metav1.LabelSelectorOpIn, Values: []string{"other"}}}}),
		Principals:          drawn(t, "ruled", nil, patterns(v1alpha1.PrincipalUser, v1alpha1.PrincipalGroup), patterns(v1alpha1.PrincipalUser, v1alpha1.PrincipalRole)),
		RequiredTags:        drawn(t, "required", nil, nil, map[string]string{"Env": "stg"}),
		ExcludedNodes:       drawn(t, "excluded", nil, nil, nil, excludedTag("Env", "prod"), excludedTag("env", "stg", "prod"), excludedNode("i-0fffffffffffffff0"), excludedNode("mi-0ffffffffffffffff")),
		Documents:           drawn(t, "documents", nil, nil, []v1alpha1.NamePattern{"SSM-*", "proof-*", "other-*"}),
		MaxValidity:         drawn(t, "validity", durations(0, 0, 720*time.Hour)...),
		RequireMFA:          often(t, "mfa", []bool{false}, []bool{true}),
		ForbidLeaveSessions: drawn(t, "leaving", false, true),
	}
	if drawn(t, "about documents", false, true) {
		r.SessionDocuments = &v1alpha1.DocumentRule{
			NamePrefix: often(t, "begins", []string{"proof-"}, []string{"no name"}), Adopt: drawn(t, "adopted", nil, []v1alpha1.NamePattern{"none-*"}),
			ShareWith: drawn(t, "shared", nil, []v1alpha1.ShareTarget{"222222222222"}), Keys: drawn(t, "keys", nil, []v1alpha1.KeyPattern{"alias/other"}),
		}
	}
	if drawn(t, "about activations", false, true) {
		r.Activations = &v1alpha1.ActivationRule{
			Roles: often(t, "roles", [][]v1alpha1.NamePattern{{"SSM*"}}, [][]v1alpha1.NamePattern{{"Other*"}}), MaxRegistrations: drawn(t, "most", nil, new(int32(2))),
			MaxValidity: drawn(t, "longest", durations(0, 24*time.Hour)...), RequiredTags: drawn(t, "tagged", nil, map[string]string{"Env": "stg"}),
			TagKeys: drawn(t, "keys", nil, []v1alpha1.NamePattern{"Env"}),
		}
	}
	return r
}

func excludedTag(key string, values ...string) *v1alpha1.NodeExclusion {
	return &v1alpha1.NodeExclusion{Tags: []v1alpha1.ExcludedTag{{Key: key, Values: values}}}
}

func excludedNode(id v1alpha1.InstanceID) *v1alpha1.NodeExclusion {
	return &v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{id}}
}
