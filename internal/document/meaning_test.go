package document_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

func TestHowADocumentIsWrittenDoesNotMatter(t *testing.T) {
	for name, pair := range map[string][2]string{
		"white space and order": {`{"schemaVersion":"1.0","sessionType":"Port"}`, "{ \"sessionType\": \"Port\",\n\"schemaVersion\":\"1.0\" }"},
		"an empty description":  {`{"schemaVersion":"1.0","description":""}`, `{"schemaVersion":"1.0"}`},
		"inputs that are off": {
			`{"sessionType":"Standard_Stream","inputs":{"runAsEnabled":false,"kmsKeyId":"","idleSessionTimeout":"","shellProfile":{"linux":""}}}`,
			`{"sessionType":"Standard_Stream"}`,
		},
		"inputs of another session type that are off": {
			`{"sessionType":"Port","inputs":{"s3BucketName":"","runAsEnabled":false,"shellProfile":{"linux":"","windows":""}}}`, `{"sessionType":"Port"}`,
		},
		"no parameters": {`{"parameters":{}}`, `{}`},
		"a command that is not elevated": {
			`{"properties":{"linux":{"commands":"a","runAsElevated":false},"host":""}}`, `{"properties":{"linux":{"commands":"a"}}}`,
		},
		"a parameter without a description": {`{"parameters":{"a":{"type":"String","description":""}}}`, `{"parameters":{"a":{"type":"String"}}}`},
		"an escaped letter":                 {`{"description":"\u0061"}`, `{"description":"a"}`},
	} {
		if meaning(t, pair[0]) != meaning(t, pair[1]) {
			t.Errorf("%s makes a difference", name)
		}
	}
}

func TestWhatADocumentSaysMatters(t *testing.T) {
	const same = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b"}}`
	for name, other := range map[string]string{
		"another value":         `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"c"}}`,
		"an unknown member":     `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b","s3Acl":""}}`,
		"a member's case":       `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"S3BucketName":"b"}}`,
		"a number for a string": `{"schemaVersion":1.0,"sessionType":"Standard_Stream","inputs":{"s3BucketName":"b"}}`,
		"one setting more":      `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b","runAsEnabled":true}}`,
		"text for a boolean":    `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b","runAsEnabled":"false"}}`,
		"empty foreign inputs":  `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b"},"properties":{}}`,
	} {
		if meaning(t, same) == meaning(t, other) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestWhatIsNoDocumentIsAnError(t *testing.T) {
	for _, text := range []string{"", "null", "[]", `"a"`, `{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`, `{} {}`, `{"a":1`, "schemaVersion: 1.0"} {
		if m, err := document.Meaning(text); err == nil {
			t.Errorf("%q means %s", text, m)
		}
	}
}

// specs draws specs as the API server lets them through.
func specs() *rapid.Generator[*v1alpha1.SessionDocumentSpec] {
	text := rapid.StringN(1, 20, 60)
	return rapid.Custom(func(t *rapid.T) *v1alpha1.SessionDocumentSpec {
		optional := func(label string) string { return rapid.OneOf(rapid.Just(""), text).Draw(t, label) }
		s := &v1alpha1.SessionDocumentSpec{
			Description: optional("description"),
			SessionType: rapid.SampledFrom([]v1alpha1.SessionType{v1alpha1.SessionStandardStream, v1alpha1.SessionInteractiveCommands, v1alpha1.SessionNonInteractiveCommands, v1alpha1.SessionPort}).Draw(t, "type"),
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9_]{1,5}`), 0, 3, rapid.ID).Draw(t, "parameters") {
			p := v1alpha1.DocumentParameter{Name: name, Type: v1alpha1.ParameterString, Description: optional("d"), AllowedPattern: optional("pattern")}
			if rapid.Bool().Draw(t, "has default") {
				switch p.Type = rapid.SampledFrom([]v1alpha1.ParameterType{v1alpha1.ParameterString, v1alpha1.ParameterStringList, v1alpha1.ParameterStringMap}).Draw(t, "parameter type"); p.Type {
				case v1alpha1.ParameterStringList:
					p.DefaultList = rapid.SliceOfN(text, 1, 3).Draw(t, "default")
				case v1alpha1.ParameterStringMap:
					p.DefaultMap = rapid.MapOfN(text, text, 1, 3).Draw(t, "default")
				default:
					p.Default = new(optional("default"))
				}
			}
			if p.Type != v1alpha1.ParameterString && rapid.Bool().Draw(t, "has items") {
				p.MinItems, p.MaxItems = new(int32(1)), new(rapid.Int32Range(1, 3).Draw(t, "max items"))
			}
			s.Parameters = append(s.Parameters, p)
		}
		switch s.SessionType {
		case v1alpha1.SessionStandardStream:
			s.Inputs = &v1alpha1.SessionInputs{
				S3BucketName: new(optional("bucket")), S3KeyPrefix: new(optional("prefix")), S3EncryptionEnabled: new(rapid.Bool().Draw(t, "s3")),
				CloudWatchLogGroupName: new(optional("group")), CloudWatchEncryptionEnabled: new(rapid.Bool().Draw(t, "cw")), CloudWatchStreamingEnabled: new(rapid.Bool().Draw(t, "stream")),
				KMSKeyID: new(optional("key")), RunAsEnabled: new(rapid.Bool().Draw(t, "run as")), RunAsDefaultUser: new(optional("user")),
				IdleSessionTimeout: new(optional("idle")), MaxSessionDuration: new(optional("max")),
				ShellProfile: &v1alpha1.ShellProfile{Windows: optional("windows"), Linux: optional("linux")},
			}
		case v1alpha1.SessionPort:
			s.Properties = &v1alpha1.SessionProperties{PortNumber: text.Draw(t, "port"), LocalPortNumber: optional("local"), Host: optional("host")}
		default:
			s.Properties = &v1alpha1.SessionProperties{Linux: &v1alpha1.CommandProperties{Commands: text.Draw(t, "commands"), RunAsElevated: rapid.Bool().Draw(t, "elevated")}}
		}
		return s
	})
}

func TestAMeaningTellsSpecsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := specs().Draw(t, "a"), specs().Draw(t, "b")
		if rapid.Bool().Draw(t, "the same") {
			b = a.DeepCopy()
		}
		one, err := document.Render(a)
		if err != nil {
			t.Fatal(err)
		}
		other, err := document.Render(b)
		if err != nil {
			t.Fatal(err)
		}
		m1, err1 := document.Meaning(one)
		m2, err2 := document.Meaning(other)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if same := reflect.DeepEqual(normal(t, one), normal(t, other)); (m1 == m2) != same {
			t.Fatalf("the same = %v, but the meanings are %s and %s of\n%s\n%s", same, m1, m2, one, other)
		}
	})
}

// normal is a rendered document as encoding/json reads it. Two rendered
// documents name the same members, so that nothing is left to normalise.
func normal(t *rapid.T, text string) (value map[string]any) {
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func FuzzMeaning(f *testing.F) {
	f.Add(`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b","shellProfile":{"linux":"date"}}}`)
	f.Add(`{"inputs":{"runAsEnabled":false},"parameters":{"a":{"description":""}},"properties":{"linux":{"runAsElevated":false}}}`)
	f.Add(`{"inputs":[],"parameters":null,"properties":"x","sessionType":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := document.Meaning(text)
		if err != nil {
			return
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err != nil {
			t.Fatalf("%q is no JSON and means something", text)
		}
		if again, err := document.Meaning(compact.String()); err != nil || again != m {
			t.Fatalf("without white space it means %s (%v), with it %s", again, err, m)
		}
	})
}
