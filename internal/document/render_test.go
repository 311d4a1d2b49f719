package document_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

func render(tb testing.TB, spec *v1alpha1.SessionDocumentSpec) string {
	tb.Helper()
	text, err := document.Render(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func meaning(tb testing.TB, text string) string {
	tb.Helper()
	m, err := document.Meaning(text)
	if err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
	return m
}

func fields(tb testing.TB, text []byte) map[string]any {
	tb.Helper()
	var f map[string]any
	if err := json.Unmarshal(text, &f); err != nil {
		tb.Fatal(err)
	}
	return f
}

// The document is the sample of scenario S4, the manifest is this project's.
func TestTheSampleOfScenarioS4IsRenderedFieldByField(t *testing.T) {
	want, err := os.ReadFile("testdata/s4.json")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile("../../config/samples/s4/sessiondocument.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var declared v1alpha1.SessionDocument
	if err := yaml.UnmarshalStrict(manifest, &declared); err != nil {
		t.Fatal(err)
	}
	got := render(t, &declared.Spec)
	if !reflect.DeepEqual(fields(t, []byte(got)), fields(t, want)) {
		t.Errorf("rendered\n%s\nwant\n%s", got, want)
	}
	if meaning(t, got) != meaning(t, string(want)) {
		t.Error("the two are not taken for the same")
	}
}

func TestEachSessionTypeIsRendered(t *testing.T) {
	region := "eu-west-1"
	for name, c := range map[string]struct {
		spec v1alpha1.SessionDocumentSpec
		want string
	}{
		"nothing but preferences that are all off": {v1alpha1.SessionDocumentSpec{}, `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{
			"s3BucketName":"","s3KeyPrefix":"","s3EncryptionEnabled":false,"cloudWatchLogGroupName":"","cloudWatchEncryptionEnabled":false,
			"cloudWatchStreamingEnabled":false,"runAsEnabled":false,"runAsDefaultUser":"","idleSessionTimeout":"","maxSessionDuration":"",
			"shellProfile":{"windows":"","linux":""}}}`},
		"all preferences": {v1alpha1.SessionDocumentSpec{Description: "d", SessionType: v1alpha1.SessionStandardStream, Inputs: &v1alpha1.SessionInputs{
			S3BucketName: new("b-1"), S3KeyPrefix: new("p"), S3EncryptionEnabled: new(true), CloudWatchLogGroupName: new("g"), CloudWatchEncryptionEnabled: new(true),
			CloudWatchStreamingEnabled: new(true), KMSKeyID: new("alias/k"), RunAsEnabled: new(true), RunAsDefaultUser: new("u"), IdleSessionTimeout: new("60"),
			MaxSessionDuration: new("1440"), ShellProfile: &v1alpha1.ShellProfile{Windows: "w", Linux: "a && b <c"},
		}}, `{"schemaVersion":"1.0","description":"d","sessionType":"Standard_Stream","inputs":{
			"s3BucketName":"b-1","s3KeyPrefix":"p","s3EncryptionEnabled":true,"cloudWatchLogGroupName":"g","cloudWatchEncryptionEnabled":true,
			"cloudWatchStreamingEnabled":true,"kmsKeyId":"alias/k","runAsEnabled":true,"runAsDefaultUser":"u","idleSessionTimeout":"60",
			"maxSessionDuration":"1440","shellProfile":{"windows":"w","linux":"a && b <c"}}}`},
		"commands": {v1alpha1.SessionDocumentSpec{SessionType: v1alpha1.SessionInteractiveCommands, Properties: &v1alpha1.SessionProperties{
			Linux: &v1alpha1.CommandProperties{Commands: "top\nhtop", RunAsElevated: true}, Windows: &v1alpha1.CommandProperties{Commands: "w"}, MacOS: &v1alpha1.CommandProperties{Commands: "m"},
		}}, `{"schemaVersion":"1.0","sessionType":"InteractiveCommands","properties":{"linux":{"commands":"top\nhtop","runAsElevated":true},"windows":{"commands":"w"},"macOS":{"commands":"m"}}}`},
		"a forwarded port, with parameters": {
			v1alpha1.SessionDocumentSpec{SessionType: v1alpha1.SessionPort, Parameters: []v1alpha1.DocumentParameter{
				{Name: "host", Description: "d", Default: &region, AllowedPattern: "^[a-z]+$", AllowedValues: []string{"eu-west-1"}},
			}, Properties: &v1alpha1.SessionProperties{PortNumber: "22", LocalPortNumber: "0", Type: v1alpha1.LocalPortForwarding, Host: "{{ host }}"}},
			`{"schemaVersion":"1.0","sessionType":"Port","parameters":{"host":{"type":"String","description":"d","default":"eu-west-1","allowedPattern":"^[a-z]+$","allowedValues":["eu-west-1"]}},
			"properties":{"portNumber":"22","localPortNumber":"0","type":"LocalPortForwarding","host":"{{ host }}"}}`,
		},
		"parameters of every type": {
			v1alpha1.SessionDocumentSpec{SessionType: v1alpha1.SessionInteractiveCommands, Parameters: []v1alpha1.DocumentParameter{
				{Name: "text", Default: new(""), DisplayType: v1alpha1.DisplayTextArea},
				{Name: "list", Type: v1alpha1.ParameterStringList, DefaultList: []string{"a", ""}, MinItems: new(int32(0)), MaxItems: new(int32(2))},
				{Name: "map", Type: v1alpha1.ParameterStringMap, DefaultMap: map[string]string{"a": "b"}, MaxItems: new(int32(1))},
				{Name: "none", Type: v1alpha1.ParameterStringList},
			}, Properties: &v1alpha1.SessionProperties{Linux: &v1alpha1.CommandProperties{Commands: "run '{{ list }}' '{{ map }}'"}}},
			`{"schemaVersion":"1.0","sessionType":"InteractiveCommands","parameters":{
			"text":{"type":"String","default":"","displayType":"textarea"},"list":{"type":"StringList","default":["a",""],"minItems":0,"maxItems":2},
			"map":{"type":"StringMap","default":{"a":"b"},"maxItems":1},"none":{"type":"StringList"}},
			"properties":{"linux":{"commands":"run '{{ list }}' '{{ map }}'"}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, &c.spec)
			if !reflect.DeepEqual(fields(t, []byte(got)), fields(t, []byte(c.want))) {
				t.Errorf("rendered\n%s\nwant\n%s", got, c.want)
			}
			if again := render(t, c.spec.DeepCopy()); again != got {
				t.Error("the same spec gives other bytes")
			}
		})
	}
}

func TestShellCommandsStayReadable(t *testing.T) {
	text := render(t, &v1alpha1.SessionDocumentSpec{Inputs: &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: "a && b > c"}}})
	if !strings.Contains(text, "a && b > c") {
		t.Errorf("the command is written as\n%s", text)
	}
}

// The agent replaces a field that holds nothing but a reference by the value itself, and
// opens no session where that is no text.
func TestAListOrMapInPlaceOfATextIsAnError(t *testing.T) {
	list := []v1alpha1.DocumentParameter{
		{Name: "text"}, {Name: "list", Type: v1alpha1.ParameterStringList}, {Name: "map", Type: v1alpha1.ParameterStringMap},
	}
	for field, c := range map[string]struct {
		spec      v1alpha1.SessionDocumentSpec
		parameter string
	}{
		"inputs.kmsKeyId":           {v1alpha1.SessionDocumentSpec{Inputs: &v1alpha1.SessionInputs{KMSKeyID: new("{{ list }}")}}, "list"},
		"inputs.shellProfile.linux": {v1alpha1.SessionDocumentSpec{Inputs: &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: "{{map}}"}}}, "map"},
		"properties.host":           {v1alpha1.SessionDocumentSpec{SessionType: v1alpha1.SessionPort, Properties: &v1alpha1.SessionProperties{PortNumber: "{{ text }}", Host: "{{  list }}"}}, "list"},
		"properties.macOS.commands": {v1alpha1.SessionDocumentSpec{SessionType: v1alpha1.SessionInteractiveCommands, Properties: &v1alpha1.SessionProperties{
			Linux: &v1alpha1.CommandProperties{Commands: "a {{ list }}"}, MacOS: &v1alpha1.CommandProperties{Commands: "{{ map }}"},
		}}, "map"},
	} {
		c.spec.Parameters = list
		_, err := document.Render(&c.spec)
		misplaced, ok := errors.AsType[*document.MisplacedReferenceError](err)
		if !ok || misplaced.Field != field || misplaced.Parameter != c.parameter {
			t.Errorf("%s: the error is %v", field, err)
		}
	}
}

func TestADocumentLargerThanAWSTakesIsAnError(t *testing.T) {
	spec := &v1alpha1.SessionDocumentSpec{Description: strings.Repeat("x", document.MaxSize)}
	_, err := document.Render(spec)
	large, ok := errors.AsType[*document.TooLargeError](err)
	if !ok || large.Size <= document.MaxSize {
		t.Errorf("the error is %v", err)
	}
}
