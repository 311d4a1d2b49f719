package ssm

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"sigs.k8s.io/yaml"
)

const (
	maxDocumentSize = 64 << 10
	// sessionSchema is the only schema version of session documents.
	sessionSchema = "1.0"
)

func invalidContent(format string, args ...any) error {
	return invalid("InvalidDocumentContent", format, args...)
}

// checkContent checks the content as far as its type is known, and returns the
// description that it gives.
func checkContent(kind, format, content string) (string, error) {
	switch {
	case content == "" || !utf8.ValidString(content):
		return "", invalidContent("The content of the document is empty or no text.")
	case len(content) > maxDocumentSize:
		return "", invalid("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	case format == string(types.DocumentFormatText):
		return "", nil
	}
	fields, err := parseContent(format, content)
	if err != nil {
		return "", err
	}
	description, _ := fields["description"].(string)
	if kind != sessionType {
		return description, nil
	}
	return description, checkSession(fields)
}

func parseContent(format, content string) (map[string]any, error) {
	var fields map[string]any
	if format == string(types.DocumentFormatYaml) {
		if err := yaml.UnmarshalStrict([]byte(content), &fields); err != nil {
			return nil, invalidContent("YAML not well-formed: %v", err)
		}
		return fields, nil
	}
	if err := json.Unmarshal([]byte(content), &fields); err != nil {
		return nil, invalidContent("JSON not well-formed: %v", err)
	}
	return fields, nil
}

// kmsKey is the key by which sessions of the version are encrypted, "" for
// none.
func (v DocumentVersion) kmsKey() string {
	fields, err := parseContent(v.Format, v.Content)
	if err != nil {
		return ""
	}
	inputs, _ := fields["inputs"].(map[string]any)
	key, _ := inputs["kmsKeyId"].(string)
	return key
}
