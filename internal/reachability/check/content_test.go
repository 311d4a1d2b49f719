package check_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func TestContentOfASessionDocument(t *testing.T) {
	for text, want := range map[string]check.Content{
		`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b","s3KeyPrefix":"p","s3EncryptionEnabled":true,
		"cloudWatchLogGroupName":"g","cloudWatchEncryptionEnabled":"true","cloudWatchStreamingEnabled":true,"kmsKeyId":"alias/k",
		"runAsEnabled":true,"idleSessionTimeout":"20","shellProfile":{"linux":"bash","windows":""}}}`: {
			SessionType: "Standard_Stream", Bucket: "b", KeyPrefix: "p", BucketEncryption: true, LogGroup: "g", LogGroupEncryption: true,
			Streaming: true, SessionKey: "alias/k", RunAs: true, ShellProfile: true,
		},
		`{"sessionType":"Standard_Stream"}`: {SessionType: "Standard_Stream"},
		`{"sessionType":"Port","properties":{"portNumber":"22","type":"LocalPortForwarding","host":"db.example.internal"}}`:                         {SessionType: "Port", RemoteHost: true},
		`{"sessionType":"InteractiveCommands","parameters":{"x":{"type":"String"}},"properties":{"linux":{"commands":"top","runAsElevated":true}}}`: {SessionType: "InteractiveCommands"},
	} {
		got, err := check.ParseContent(text)
		if err != nil || got != want {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `[]`, `{}`, `{"schemaVersion":"2.2","mainSteps":[]}`, `{"sessionType":"Standard_Stream","inputs":{"runAsEnabled":3}}`} {
		if got, err := check.ParseContent(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func FuzzParseContent(f *testing.F) {
	f.Add(`{"sessionType":"Port","properties":{"host":"h"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := check.ParseContent(text); err == nil && c.SessionType == "" {
			t.Errorf("%q is read as a document without session type", text)
		}
	})
}
