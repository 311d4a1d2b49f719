package ssm

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.yaml.in/yaml/v3"
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
		// Not sigs.k8s.io/yaml: it reads "y" and "on" as booleans.
		if err := yaml.Unmarshal([]byte(content), &fields); err != nil {
			return nil, invalidContent("YAML not well-formed: %v", err)
		}
		return fields, nil
	}
	if err := json.Unmarshal([]byte(content), &fields); err != nil {
		return nil, invalidContent("JSON not well-formed: %v", err)
	}
	return fields, nil
}

// in returns the content in a format: AWS converts JSON to YAML and back. What is
// already in the format, or in none, stays as it was written.
func (v DocumentVersion) in(format types.DocumentFormat) (string, error) {
	if format == "" {
		format = types.DocumentFormatJson
	}
	if string(format) == v.Format || v.Format == string(types.DocumentFormatText) || format == types.DocumentFormatText {
		return v.Content, nil
	}
	fields, err := parseContent(v.Format, v.Content)
	if err != nil {
		return "", err
	}
	if format == types.DocumentFormatYaml {
		converted, err := yaml.Marshal(fields)
		return string(converted), err
	}
	converted, err := json.MarshalIndent(fields, "", "  ")
	return string(converted), err
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
