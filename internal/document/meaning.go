package document

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

// errNoDocument is that of JSON that is no object.
var errNoDocument = errors.New("the document is no JSON object")

// Meaning is the SHA-256, hexadecimal, of what a document says. It ignores how
// the document is written: white space, the order of members, and whether a
// false or empty value is written or left out make no difference. Anything else
// does, unknown members too. An error means that the text is no JSON object, or
// that a member occurs twice in one.
func Meaning(text string) (string, error) {
	value, err := strictjson.Decode(text)
	if err != nil {
		return "", fmt.Errorf("read the document: %w", err)
	}
	document, ok := value.(strictjson.Object)
	if !ok {
		return "", errNoDocument
	}
	normalise(document)
	canonical, err := json.Marshal(document) // It sorts the members.
	if err != nil {
		return "", fmt.Errorf("write the document again: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// emptyMembers are those that say nothing when they have this value: the agent
// reads one that is left out as false or empty.
var (
	emptyInputs = map[string]any{
		"s3BucketName": "", "s3KeyPrefix": "", "s3EncryptionEnabled": false,
		"cloudWatchLogGroupName": "", "cloudWatchEncryptionEnabled": false, "cloudWatchStreamingEnabled": false,
		"kmsKeyId": "", "runAsEnabled": false, "runAsDefaultUser": "",
		"idleSessionTimeout": "", "maxSessionDuration": "",
	}
	emptyProfile   = map[string]any{"windows": "", "linux": ""}
	emptyCommands  = map[string]any{"runAsElevated": false}
	emptyPort      = map[string]any{"localPortNumber": "", "host": "", "type": ""}
	emptyParameter = map[string]any{"description": "", "allowedPattern": ""}
)

// normalise removes what has no meaning.
func normalise(document strictjson.Object) {
	drop(document, map[string]any{"description": ""})
	if in, ok := document["inputs"].(strictjson.Object); ok {
		drop(in, emptyInputs)
		if profile, ok := in["shellProfile"].(strictjson.Object); ok {
			drop(profile, emptyProfile)
		}
		dropEmptyObject(in, "shellProfile")
	}
	dropEmptyObject(document, "inputs")
	if parameters, ok := document["parameters"].(strictjson.Object); ok {
		for _, p := range parameters {
			if p, ok := p.(strictjson.Object); ok {
				drop(p, emptyParameter)
			}
		}
	}
	dropEmptyObject(document, "parameters")
	normaliseProperties(document)
}

func normaliseProperties(document strictjson.Object) {
	properties, ok := document["properties"].(strictjson.Object)
	if !ok {
		return
	}
	drop(properties, emptyPort)
	for _, platform := range []string{"linux", "windows", "macOS"} {
		if commands, ok := properties[platform].(strictjson.Object); ok {
			drop(commands, emptyCommands)
		}
	}
}

// drop removes the members whose value has no meaning.
func drop(from strictjson.Object, empty map[string]any) {
	for name, value := range empty {
		if is, ok := from[name]; ok && is == value {
			delete(from, name)
		}
	}
}

func dropEmptyObject(from strictjson.Object, name string) {
	if o, ok := from[name].(strictjson.Object); ok && len(o) == 0 {
		delete(from, name)
	}
}
