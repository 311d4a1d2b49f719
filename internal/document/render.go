package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/utils/ptr"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// schemaVersion is the only one of session documents (AWS Systems Manager
	// User Guide, Session document schema).
	schemaVersion = "1.0"
	// MaxSize is the most bytes that AWS takes (API reference, CreateDocument).
	MaxSize = 64 << 10
)

// TooLargeError means that a document is larger than AWS accepts.
type TooLargeError struct{ Size int }

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the document has %d bytes, and AWS takes %d at most", e.Size, MaxSize)
}

// content is a session document; the order of the fields is that of the
// examples of AWS.
type content struct {
	SchemaVersion string                      `json:"schemaVersion"`
	Description   string                      `json:"description,omitempty"`
	SessionType   v1alpha1.SessionType        `json:"sessionType"`
	Inputs        *inputs                     `json:"inputs,omitempty"`
	Parameters    map[string]parameter        `json:"parameters,omitempty"`
	Properties    *v1alpha1.SessionProperties `json:"properties,omitempty"`
}

// inputs are written whole, as the console of AWS does it and as its sample
// shows: what is left out of the spec is false or empty. A key is named only
// where there is one.
type inputs struct {
	S3BucketName                string       `json:"s3BucketName"`
	S3KeyPrefix                 string       `json:"s3KeyPrefix"`
	S3EncryptionEnabled         bool         `json:"s3EncryptionEnabled"`
	CloudWatchLogGroupName      string       `json:"cloudWatchLogGroupName"`
	CloudWatchEncryptionEnabled bool         `json:"cloudWatchEncryptionEnabled"`
	CloudWatchStreamingEnabled  bool         `json:"cloudWatchStreamingEnabled"`
	KMSKeyID                    string       `json:"kmsKeyId,omitempty"`
	RunAsEnabled                bool         `json:"runAsEnabled"`
	RunAsDefaultUser            string       `json:"runAsDefaultUser"`
	IdleSessionTimeout          string       `json:"idleSessionTimeout"`
	MaxSessionDuration          string       `json:"maxSessionDuration"`
	ShellProfile                shellProfile `json:"shellProfile"`
}

type shellProfile struct {
	Windows string `json:"windows"`
	Linux   string `json:"linux"`
}

// Explain says for people why a document cannot be written, and what to change. err is of
// [Render] or [Meaning].
func Explain(err error) string {
	if large, ok := errors.AsType[*TooLargeError](err); ok {
		return fmt.Sprintf("The document would have %d bytes, and AWS takes %d at most; shorten its commands, its shell profile or its parameters.", large.Size, MaxSize)
	}
	if at, ok := errors.AsType[*MisplacedReferenceError](err); ok {
		return fmt.Sprintf("%s is {{ %s }} and nothing else, and parameter %s is a %s, which is no text: the agent opens no session. Write text around it, where the agent puts JSON, or make the parameter a String.",
			at.Field, at.Parameter, at.Parameter, at.Type)
	}
	return "The document cannot be written as JSON; change what it holds."
}

type parameter struct {
	Type        v1alpha1.ParameterType `json:"type"`
	Description string                 `json:"description,omitempty"`
	// Default is a text, a list or a map, as the type says.
	Default           any                           `json:"default,omitempty"`
	AllowedPattern    string                        `json:"allowedPattern,omitempty"`
	AllowedValues     []string                      `json:"allowedValues,omitempty"`
	MinChars          *int32                        `json:"minChars,omitempty"`
	MaxChars          *int32                        `json:"maxChars,omitempty"`
	MinItems          *int32                        `json:"minItems,omitempty"`
	MaxItems          *int32                        `json:"maxItems,omitempty"`
	DisplayType       v1alpha1.ParameterDisplayType `json:"displayType,omitempty"`
	InterpolationType v1alpha1.InterpolationType    `json:"interpolationType,omitempty"`
}

// Render writes the document that a spec declares, as JSON. The same spec gives
// the same bytes. The error is a *TooLargeError or a *MisplacedReferenceError.
func Render(spec *v1alpha1.SessionDocumentSpec) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // Shell commands are full of <, > and &.
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(contentOf(spec)); err != nil {
		return "", fmt.Errorf("render the document: %w", err)
	}
	rendered := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	if len(rendered) > MaxSize {
		return "", &TooLargeError{Size: len(rendered)}
	}
	if err := checkReferences(string(rendered), spec.Parameters); err != nil {
		return "", err
	}
	return string(rendered), nil
}

func contentOf(spec *v1alpha1.SessionDocumentSpec) content {
	c := content{
		SchemaVersion: schemaVersion, Description: spec.Description, SessionType: spec.SessionType,
		Parameters: parametersOf(spec.Parameters), Properties: spec.Properties,
	}
	if c.SessionType == "" {
		c.SessionType = v1alpha1.SessionStandardStream
	}
	if c.SessionType == v1alpha1.SessionStandardStream || spec.Inputs != nil {
		c.Inputs = inputsOf(spec.Inputs)
	}
	return c
}

func inputsOf(in *v1alpha1.SessionInputs) *inputs {
	if in == nil {
		return &inputs{}
	}
	out := &inputs{
		S3BucketName: ptr.Deref(in.S3BucketName, ""), S3KeyPrefix: ptr.Deref(in.S3KeyPrefix, ""),
		S3EncryptionEnabled:         ptr.Deref(in.S3EncryptionEnabled, false),
		CloudWatchLogGroupName:      ptr.Deref(in.CloudWatchLogGroupName, ""),
		CloudWatchEncryptionEnabled: ptr.Deref(in.CloudWatchEncryptionEnabled, false),
		CloudWatchStreamingEnabled:  ptr.Deref(in.CloudWatchStreamingEnabled, false),
		KMSKeyID:                    ptr.Deref(in.KMSKeyID, ""),
		RunAsEnabled:                ptr.Deref(in.RunAsEnabled, false), RunAsDefaultUser: ptr.Deref(in.RunAsDefaultUser, ""),
		IdleSessionTimeout: ptr.Deref(in.IdleSessionTimeout, ""), MaxSessionDuration: ptr.Deref(in.MaxSessionDuration, ""),
	}
	if in.ShellProfile != nil {
		out.ShellProfile = shellProfile{Windows: in.ShellProfile.Windows, Linux: in.ShellProfile.Linux}
	}
	return out
}

func parametersOf(declared []v1alpha1.DocumentParameter) map[string]parameter {
	if len(declared) == 0 {
		return nil
	}
	out := make(map[string]parameter, len(declared))
	for _, p := range declared {
		out[p.Name] = parameter{
			Type: cmp.Or(p.Type, v1alpha1.ParameterString), Description: p.Description, Default: defaultOf(&p),
			AllowedPattern: p.AllowedPattern, AllowedValues: p.AllowedValues,
			MinChars: p.MinChars, MaxChars: p.MaxChars, MinItems: p.MinItems, MaxItems: p.MaxItems,
			DisplayType: p.DisplayType, InterpolationType: p.InterpolationType,
		}
	}
	return out
}

// defaultOf returns the default of a parameter, nil for none.
func defaultOf(p *v1alpha1.DocumentParameter) any {
	switch {
	case p.Default != nil:
		return *p.Default
	case p.DefaultList != nil:
		return p.DefaultList
	case p.DefaultMap != nil:
		return p.DefaultMap
	default:
		return nil
	}
}
