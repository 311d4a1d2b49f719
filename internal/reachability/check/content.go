package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errNoContent is that of JSON that is no session document.
var errNoContent = errors.New("it is no session document")

// ParseContent reads a session document of schema 1.0, as JSON. What it does not
// know is passed over; an error says that the text is no session document.
func ParseContent(text string) (Content, error) {
	var d struct {
		SessionType string `json:"sessionType"`
		Inputs      struct {
			Bucket             string `json:"s3BucketName"`
			KeyPrefix          string `json:"s3KeyPrefix"`
			BucketEncryption   flag   `json:"s3EncryptionEnabled"`
			LogGroup           string `json:"cloudWatchLogGroupName"`
			LogGroupEncryption flag   `json:"cloudWatchEncryptionEnabled"`
			Streaming          flag   `json:"cloudWatchStreamingEnabled"`
			SessionKey         string `json:"kmsKeyId"`
			RunAs              flag   `json:"runAsEnabled"`
			ShellProfile       struct {
				Windows string `json:"windows"`
				Linux   string `json:"linux"`
			} `json:"shellProfile"`
		} `json:"inputs"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return Content{}, fmt.Errorf("reading a session document: %w", err)
	}
	if d.SessionType == "" {
		return Content{}, fmt.Errorf("reading a session document: %w", errNoContent)
	}
	in := &d.Inputs
	template := ""
	if strings.Contains(in.SessionKey, "{{") {
		template = in.SessionKey
	}
	for _, text := range []*string{&in.Bucket, &in.LogGroup, &in.SessionKey} {
		// What the agent fills in when a session opens is not known here.
		if strings.Contains(*text, "{{") {
			*text = ""
		}
	}
	return Content{
		SessionType: d.SessionType,
		Bucket:      in.Bucket, KeyPrefix: in.KeyPrefix, BucketEncryption: bool(in.BucketEncryption),
		LogGroup: in.LogGroup, LogGroupEncryption: bool(in.LogGroupEncryption), Streaming: bool(in.Streaming),
		SessionKey: in.SessionKey, SessionKeyTemplate: template, RunAs: bool(in.RunAs),
		ShellProfile: in.ShellProfile.Windows+in.ShellProfile.Linux != "",
		RemoteHost:   hasHost(d.Properties),
	}, nil
}

// hasHost reports whether the properties of a Port document have a host. Those
// of other documents have other shapes.
func hasHost(properties json.RawMessage) bool {
	var p struct {
		Host string `json:"host"`
	}
	return len(properties) > 0 && json.Unmarshal(properties, &p) == nil && p.Host != ""
}

// flag is a boolean that people also write as a string.
type flag bool

// UnmarshalJSON reads true, false, "true" and "false"; "" is false.
func (f *flag) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `true`, `"true"`:
		*f = true
	case `false`, `"false"`, `""`, `null`:
		*f = false
	default:
		return errNoContent
	}
	return nil
}
