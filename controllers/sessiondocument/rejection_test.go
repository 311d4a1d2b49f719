package sessiondocument_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTheAPIServerRejectsBadDocumentsWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	inputs := func(change func(*v1alpha1.SessionInputs)) func(*v1alpha1.SessionDocumentSpec) {
		return func(s *v1alpha1.SessionDocumentSpec) { change(s.Inputs) }
	}
	port := func(s *v1alpha1.SessionDocumentSpec) {
		s.SessionType, s.Inputs, s.Properties = v1alpha1.SessionPort, nil, &v1alpha1.SessionProperties{PortNumber: "22"}
	}
	commands := func(s *v1alpha1.SessionDocumentSpec) {
		s.SessionType, s.Inputs = v1alpha1.SessionInteractiveCommands, nil
		s.Properties = &v1alpha1.SessionProperties{Linux: &v1alpha1.CommandProperties{Commands: "top"}}
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.SessionDocumentSpec)
		says   string
	}{
		"an idle timeout of 0":          {inputs(func(i *v1alpha1.SessionInputs) { i.IdleSessionTimeout = new("0") }), "1 to 60 minutes"},
		"an idle timeout of 61":         {inputs(func(i *v1alpha1.SessionInputs) { i.IdleSessionTimeout = new("61") }), "1 to 60 minutes"},
		"an idle timeout of 1.5":        {inputs(func(i *v1alpha1.SessionInputs) { i.IdleSessionTimeout = new("1.5") }), "1 to 60 minutes"},
		"a duration of 0":               {inputs(func(i *v1alpha1.SessionInputs) { i.MaxSessionDuration = new("0") }), "1 to 1440 minutes"},
		"a duration of 1441":            {inputs(func(i *v1alpha1.SessionInputs) { i.MaxSessionDuration = new("1441") }), "1 to 1440 minutes"},
		"a user who is not used":        {inputs(func(i *v1alpha1.SessionInputs) { i.RunAsDefaultUser = new("ops") }), "no effect without runAsEnabled"},
		"a user's name out of form":     {inputs(func(i *v1alpha1.SessionInputs) { i.RunAsEnabled, i.RunAsDefaultUser = new(true), new("a; id") }), "a user's name holds"},
		"a prefix without a bucket":     {inputs(func(i *v1alpha1.SessionInputs) { i.S3KeyPrefix = new("p") }), "without s3BucketName"},
		"a bucket by ARN":               {inputs(func(i *v1alpha1.SessionInputs) { i.S3BucketName = new("arn:aws:s3:::b") }), "not by an ARN"},
		"streaming to nowhere":          {inputs(func(i *v1alpha1.SessionInputs) { i.CloudWatchStreamingEnabled = new(true) }), "needs cloudWatchLogGroupName"},
		"a log group by ARN":            {inputs(func(i *v1alpha1.SessionInputs) { i.CloudWatchLogGroupName = new("arn:aws:logs:x") }), "not by an ARN"},
		"a key out of form":             {inputs(func(i *v1alpha1.SessionInputs) { i.KMSKeyID = new("my key") }), "a key is given by"},
		"properties of a shell":         {func(s *v1alpha1.SessionDocumentSpec) { commands(s); s.SessionType = v1alpha1.SessionStandardStream }, "properties belong to"},
		"half a reference for a user":   {inputs(func(i *v1alpha1.SessionInputs) { i.RunAsEnabled, i.RunAsDefaultUser = new(true), new("{{ssm:user") }), "a user's name holds"},
		"a bucket that is too long":     {inputs(func(i *v1alpha1.SessionInputs) { i.S3BucketName = new(strings.Repeat("b", 64)) }), "3 to 63"},
		"a reference in an idle time":   {inputs(func(i *v1alpha1.SessionInputs) { i.IdleSessionTimeout = new("{{ t }}") }), "1 to 60 minutes"},
		"commands of a port":            {func(s *v1alpha1.SessionDocumentSpec) { commands(s); s.SessionType = v1alpha1.SessionPort }, "linux, windows and macOS belong"},
		"a port of commands":            {func(s *v1alpha1.SessionDocumentSpec) { commands(s); s.Properties.PortNumber = "22" }, "belong to the session type Port"},
		"commands without a platform":   {func(s *v1alpha1.SessionDocumentSpec) { commands(s); s.Properties.Linux = nil }, "names no platform"},
		"a port session without a port": {func(s *v1alpha1.SessionDocumentSpec) { port(s); s.Properties.PortNumber = "" }, "portNumber"},
		"no properties":                 {func(s *v1alpha1.SessionDocumentSpec) { port(s); s.Properties = nil }, "needs properties"},
		"a port that is none":           {func(s *v1alpha1.SessionDocumentSpec) { port(s); s.Properties.PortNumber = "ssh" }, "a port is a number in quotes"},
		"a host without a type":         {func(s *v1alpha1.SessionDocumentSpec) { port(s); s.Properties.Host = "db" }, "need type: LocalPortForwarding"},
		"a name of AWS":                 {func(s *v1alpha1.SessionDocumentSpec) { s.Name = "AWSSupport-x" }, "reserved by AWS"},
		"a name of AWS in another case": {func(s *v1alpha1.SessionDocumentSpec) { s.Name = "aMzN-x" }, "reserved by AWS"},
		"a name of Amazon":              {func(s *v1alpha1.SessionDocumentSpec) { s.Name = "Amazon.x" }, "reserved by AWS"},
		"a name out of form":            {func(s *v1alpha1.SessionDocumentSpec) { s.Name = "a/b/c" }, "letters, digits and _.- only"},
		"a name that is too short":      {func(s *v1alpha1.SessionDocumentSpec) { s.Name = "ab" }, "at least 3"},
		"a region out of form":          {func(s *v1alpha1.SessionDocumentSpec) { s.Regions = []v1alpha1.Region{"tokyo"} }, "as AWS spells it"},
		"a share with everybody":        {func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{"all"} }, "never shared with everybody"},
		"a reserved tag":                {func(s *v1alpha1.SessionDocumentSpec) { s.Tags = map[string]string{scenario.UIDTag: "x"} }, "are reserved"},
		"a tag of AWS":                  {func(s *v1alpha1.SessionDocumentSpec) { s.Tags = map[string]string{"aws:x": "x"} }, "are reserved"},
		"a default version by itself":   {func(s *v1alpha1.SessionDocumentSpec) { s.DefaultVersion = 1 }, "with promotion: Manual only"},
		"a default that is not allowed": {func(s *v1alpha1.SessionDocumentSpec) {
			s.Parameters = []v1alpha1.DocumentParameter{{Name: "a", Default: new("x"), AllowedValues: []string{"y"}}}
		}, "not among allowedValues"},
		"lengths that no value has": {func(s *v1alpha1.SessionDocumentSpec) {
			s.Parameters = []v1alpha1.DocumentParameter{{Name: "a", MinChars: new(int32(3)), MaxChars: new(int32(2))}}
		}, "minChars is greater than maxChars"},
		"an unknown interpolation": {func(s *v1alpha1.SessionDocumentSpec) {
			s.Parameters = []v1alpha1.DocumentParameter{{Name: "a", InterpolationType: "RAW"}}
		}, "ENV_VAR"},
		"a parameter out of form": {func(s *v1alpha1.SessionDocumentSpec) {
			s.Parameters = []v1alpha1.DocumentParameter{{Name: "a b"}}
		}, "a parameter's name"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := scenario.SessionDocument(c.change)
			bad.Name = "bad"
			err := w.Client.Create(t.Context(), bad)
			if err == nil {
				t.Fatal("the API server accepts it")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the answer is %q, which does not say %q", err, c.says)
			}
		})
	}
}

func TestANameThatCannotBeADocumentsNeedsSpecName(t *testing.T) {
	w := worldWithoutManager(t)
	for _, name := range []string{"ab", "aws-preferences", "amazon-x", strings.Repeat("x", 129)} {
		bad := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "" })
		bad.Name = name
		if err := w.Client.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "set spec.name") {
			t.Errorf("%s: the answer is %v", name, err)
		}
		good := scenario.SessionDocument()
		good.Name = name
		w.Create(good)
	}
}

func TestGoodDocumentsAreAccepted(t *testing.T) {
	w := worldWithoutManager(t)
	for i, change := range []func(*v1alpha1.SessionDocumentSpec){
		func(s *v1alpha1.SessionDocumentSpec) { s.Name = preferences },
		func(s *v1alpha1.SessionDocumentSpec) { s.Inputs = nil },
		func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.RunAsEnabled = new(true) },
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.RunAsEnabled, s.Inputs.RunAsDefaultUser = new(true), new("{{ssm:/team/session-user:3}}")
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.RunAsEnabled, s.Inputs.RunAsDefaultUser = new(false), new("")
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.S3BucketName, s.Inputs.S3KeyPrefix = new("logs-{{ stage }}"), new("{{ stage }}/sessions")
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.CloudWatchStreamingEnabled, s.Inputs.CloudWatchLogGroupName = new(true), new("")
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.IdleSessionTimeout, s.Inputs.MaxSessionDuration = new("60"), new("1440")
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.IdleSessionTimeout, s.Inputs.MaxSessionDuration = new("1"), new("1")
		},
		func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.MaxSessionDuration = new("999") },
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.RunAsEnabled, s.Inputs.RunAsDefaultUser = new(true), new(`CORP\ops.team@x-1`)
		},
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.KMSKeyID = new("arn:aws:kms:ap-northeast-1:488821267897:key/mrk-1234abcd")
		},
		func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.KMSKeyID = new("1234abcd-12ab-34cd-56ef-1234567890ab") },
		func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.KMSKeyID = new("alias/team/sessions") },
		func(s *v1alpha1.SessionDocumentSpec) {
			s.Inputs.KMSKeyID = new("arn:aws-cn:kms:cn-north-1:488821267897:alias/x")
		},
	} {
		good := scenario.SessionDocument(change)
		good.Name = "good-" + string(rune('a'+i))
		w.Create(good)
	}
}

// The same documents come out of package document as they went in.
func TestDocumentsOfPublicShapesAreAccepted(t *testing.T) {
	w := worldWithoutManager(t)
	files, err := filepath.Glob("../../internal/document/testdata/documents/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		w.Must(err)
		var spec map[string]any
		w.Must(json.Unmarshal(text, &spec))
		delete(spec, "schemaVersion")
		spec["accountRef"] = map[string]any{"name": "main"}
		if parameters, ok := spec["parameters"].(map[string]any); ok {
			var list []any
			for name, p := range parameters {
				list = append(list, declaredParameter(name, p.(map[string]any)))
			}
			spec["parameters"] = list
		}
		// Not typed: an empty text has to reach the API server.
		doc := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		doc.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SessionDocument"))
		doc.SetNamespace(scenario.Team)
		doc.SetName("shape-" + strings.TrimSuffix(filepath.Base(file), ".json"))
		if err := w.Client.Create(t.Context(), doc); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// declaredParameter is a parameter of a document as a spec declares it.
func declaredParameter(name string, p map[string]any) map[string]any {
	p["name"] = name
	field := map[string]string{"StringList": "defaultList", "StringMap": "defaultMap"}[p["type"].(string)]
	if is, ok := p["default"]; ok && field != "" {
		delete(p, "default")
		p[field] = is
	}
	return p
}

func TestEverySessionTypeTakesEveryInput(t *testing.T) {
	w := worldWithoutManager(t)
	properties := map[v1alpha1.SessionType]*v1alpha1.SessionProperties{
		v1alpha1.SessionStandardStream:         nil,
		v1alpha1.SessionInteractiveCommands:    {Linux: &v1alpha1.CommandProperties{Commands: "top"}},
		v1alpha1.SessionNonInteractiveCommands: {Windows: &v1alpha1.CommandProperties{Commands: "dir"}},
		v1alpha1.SessionPort:                   {PortNumber: "22"},
	}
	for kind, has := range properties {
		doc := scenario.SessionDocument(everyInput, func(s *v1alpha1.SessionDocumentSpec) { s.SessionType, s.Properties = kind, has })
		doc.Name, doc.GenerateName = "", "every-"
		w.Create(doc)
	}
}

func TestWhatADocumentIsTiedToCannotChange(t *testing.T) {
	w := worldWithoutManager(t)
	for says, c := range map[string]struct {
		named  bool
		change func(*v1alpha1.SessionDocumentSpec)
	}{
		"name cannot be changed":          {true, func(s *v1alpha1.SessionDocumentSpec) { s.Name = "another" }},
		"name cannot be added or removed": {true, func(s *v1alpha1.SessionDocumentSpec) { s.Name = "" }},
		"cannot be added or removed":      {false, func(s *v1alpha1.SessionDocumentSpec) { s.Name = "another" }},
		"accountRef cannot be changed":    {true, func(s *v1alpha1.SessionDocumentSpec) { s.AccountRef.Name = "other" }},
	} {
		doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) {
			if !c.named {
				s.Name = ""
			}
		})
		doc.GenerateName, doc.Name = "tied-", ""
		w.Create(doc)
		before := doc.DeepCopy()
		c.change(&doc.Spec)
		if err := w.Client.Patch(t.Context(), doc, client.MergeFrom(before)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the answer is %v, want it to say %q", err, says)
		}
	}
}

func TestGuardrailsBoundDocuments(t *testing.T) {
	share := func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} }
	key := func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.KMSKeyID = new("alias/team/sessions") }
	for name, c := range map[string]struct {
		rules  []v1alpha1.DocumentRule
		change func(*v1alpha1.SessionDocumentSpec)
		// says is empty where it is allowed.
		says string
	}{
		"a name outside of the prefix":      {[]v1alpha1.DocumentRule{{NamePrefix: "team-a-"}}, func(*v1alpha1.SessionDocumentSpec) {}, `does not begin with "team-a-"`},
		"a name within the prefix":          {[]v1alpha1.DocumentRule{{NamePrefix: "SessionManager"}}, func(*v1alpha1.SessionDocumentSpec) {}, ""},
		"a share without a rule":            {nil, share, "No guardrail"},
		"a share that one rule forbids":     {[]v1alpha1.DocumentRule{{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}}, {ShareWith: []v1alpha1.ShareTarget{"999999999999"}}}, share, scenario.Sharee},
		"a share beside a rule on keys":     {[]v1alpha1.DocumentRule{{Keys: []v1alpha1.KeyPattern{"*"}}}, share, "No guardrail"},
		"a share that is allowed":           {[]v1alpha1.DocumentRule{{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}}}, share, ""},
		"a key without a rule":              {nil, key, "alias/team/sessions"},
		"a key that is not among the rules": {[]v1alpha1.DocumentRule{{Keys: []v1alpha1.KeyPattern{"alias/other/*"}}}, key, "inputs.kmsKeyId"},
		"a key that is allowed":             {[]v1alpha1.DocumentRule{{Keys: []v1alpha1.KeyPattern{"alias/*"}}}, key, ""},
		"a share with itself":               {[]v1alpha1.DocumentRule{{ShareWith: []v1alpha1.ShareTarget{scenario.AccountID}}}, func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.AccountID} }, "the document itself is"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			main := scenario.Account()
			for _, rule := range c.rules {
				scenario.AllowDocuments(rule)(main)
			}
			doc := scenario.SessionDocument(c.change)
			w.Create(main, doc)
			if c.says == "" {
				w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
				return
			}
			got := w.AwaitDocumentThat(doc, func(d *v1alpha1.SessionDocument) bool {
				reason := scenario.ReadyOf(d).Reason
				return reason == v1alpha1.ReasonGuardrailViolated || reason == v1alpha1.ReasonInvalidSpec
			})
			w.ExpectSentence(scenario.ReadyOf(got).Message, c.says, "Nothing is written")
			w.goneFromAWS(scenario.LoggedDocument)
		})
	}
}

func TestASharingThatIsForbiddenLaterEnds(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee, "999999999999"}}))
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) {
		s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee, "999999999999"}
	})
	w.Create(main, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].SessionDocuments.ShareWith = []v1alpha1.ShareTarget{scenario.Sharee}
	})
	got := w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "999999999999", "sessionDocuments.shareWith", "are removed")
	scenario.ExpectEqual(t, "the shares", w.DocumentInAWS(scenario.LoggedDocument).Shares, map[string]string{scenario.Sharee: "$DEFAULT"})
}

func TestARefusedDocumentKeepsNoShareThatIsForbidden(t *testing.T) {
	const other = "999999999999"
	forbid := func(w world, main *v1alpha1.AWSAccount) {
		scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
			a.Spec.Guardrails[0].SessionDocuments.ShareWith = []v1alpha1.ShareTarget{other}
		})
	}
	for name, c := range map[string]struct {
		refuse func(world, *v1alpha1.AWSAccount, *v1alpha1.SessionDocument)
		reason string
		// left are the shares that stay.
		left map[string]string
	}{
		"because it is shared with its own account": {func(w world, main *v1alpha1.AWSAccount, doc *v1alpha1.SessionDocument) {
			scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = append(d.Spec.SharedWith, scenario.AccountID) })
			w.AwaitDocument(doc, v1alpha1.ReasonInvalidSpec)
			scenario.ExpectEqual(w.T, "the number of shares before", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 2)
			forbid(w, main)
		}, v1alpha1.ReasonInvalidSpec, map[string]string{other: "$DEFAULT"}},
		"because of a key": {func(w world, _ *v1alpha1.AWSAccount, doc *v1alpha1.SessionDocument) {
			scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith, d.Spec.Inputs.KMSKeyID = nil, new("alias/x") })
		}, v1alpha1.ReasonGuardrailViolated, map[string]string{}},
		"because of a region": {func(w world, main *v1alpha1.AWSAccount, doc *v1alpha1.SessionDocument) {
			scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Regions = append(d.Spec.Regions, "eu-north-1") })
			w.AwaitDocument(doc, v1alpha1.ReasonRegionNotAllowed)
			forbid(w, main)
		}, v1alpha1.ReasonRegionNotAllowed, map[string]string{other: "$DEFAULT"}},
		"because of its namespace": {func(w world, main *v1alpha1.AWSAccount, _ *v1alpha1.SessionDocument) {
			scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
				a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "z"}}}
			})
		}, v1alpha1.ReasonNamespaceNotAllowed, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			main := scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee, other}}))
			doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee, other} })
			w.Create(main, doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			c.refuse(w, main, doc)
			w.AwaitDocument(doc, c.reason)
			w.Eventually(func() bool { return maps.Equal(w.DocumentInAWS(scenario.LoggedDocument).Shares, c.left) })
		})
	}
}
