package document

import (
	"cmp"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

// TurnedOff lists the preferences of a document that have an effect and that a spec
// leaves out, so that writing the spec would turn them off. Each is as in
// "runAsEnabled: true". One that the spec writes out is not listed, even where that turns
// it off. A text that is no document has no preferences.
func TurnedOff(text string, declared *v1alpha1.SessionInputs) []string {
	value, err := strictjson.Decode(text)
	document, isObject := value.(strictjson.Object)
	if err != nil || !isObject {
		return nil
	}
	is, _ := document["inputs"].(strictjson.Object)
	in := cmp.Or(declared, &v1alpha1.SessionInputs{})
	profile, _ := is["shellProfile"].(strictjson.Object)
	hasBucket, hasGroup, runsAs := isOn(is["s3BucketName"]), isOn(is["cloudWatchLogGroupName"]), isOn(is["runAsEnabled"])
	var off []string
	for _, p := range []struct {
		name             string
		value            any
		effective, known bool
	}{
		{"s3BucketName", is["s3BucketName"], true, in.S3BucketName != nil},
		{"s3KeyPrefix", is["s3KeyPrefix"], hasBucket, in.S3KeyPrefix != nil},
		{"s3EncryptionEnabled", is["s3EncryptionEnabled"], hasBucket, in.S3EncryptionEnabled != nil},
		{"cloudWatchLogGroupName", is["cloudWatchLogGroupName"], true, in.CloudWatchLogGroupName != nil},
		{"cloudWatchEncryptionEnabled", is["cloudWatchEncryptionEnabled"], hasGroup, in.CloudWatchEncryptionEnabled != nil},
		{"cloudWatchStreamingEnabled", is["cloudWatchStreamingEnabled"], hasGroup, in.CloudWatchStreamingEnabled != nil},
		{"kmsKeyId", is["kmsKeyId"], true, in.KMSKeyID != nil},
		{"runAsEnabled", is["runAsEnabled"], true, in.RunAsEnabled != nil},
		{"runAsDefaultUser", is["runAsDefaultUser"], runsAs, in.RunAsDefaultUser != nil},
		{"idleSessionTimeout", is["idleSessionTimeout"], true, in.IdleSessionTimeout != nil},
		{"maxSessionDuration", is["maxSessionDuration"], true, in.MaxSessionDuration != nil},
		{"shellProfile.linux", profile["linux"], true, in.ShellProfile != nil},
		{"shellProfile.windows", profile["windows"], true, in.ShellProfile != nil},
	} {
		if p.effective && !p.known && isOn(p.value) {
			off = append(off, p.name+": "+shown(p.value))
		}
	}
	return off
}

// isOn reports whether a preference is set: people write booleans as strings, too, and the
// agent reads them.
func isOn(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		return v != "" && v != "false"
	default:
		return value != nil
	}
}

// maxShown bounds a value in a message, in characters.
const maxShown = 80

func shown(value any) string {
	if flag, ok := value.(bool); ok {
		return fmt.Sprint(flag)
	}
	text := fmt.Sprintf("%q", fmt.Sprint(value))
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + `…"`
	}
	return text
}
