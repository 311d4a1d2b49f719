package ssm

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fixtures"
)

// sessionType is the type of documents that sessions run by.
const sessionType = "Session"

// Document is an SSM document of the account. It is immutable.
type Document struct {
	Name, Type, Format string
	Created            time.Time
	Tags               map[string]string
	// Versions are oldest first.
	Versions []DocumentVersion
	// Default is the number of the version in force.
	Default int
}

// DocumentVersion is one version of a document.
type DocumentVersion struct {
	Number        int
	Name, Content string
	Created       time.Time
}

// Version returns a version by its number.
func (d *Document) Version(number int) (DocumentVersion, bool) {
	for _, v := range d.Versions {
		if v.Number == number {
			return v, true
		}
	}
	return DocumentVersion{}, false
}

// latest is the version that was made last.
func (d *Document) latest() DocumentVersion { return d.Versions[len(d.Versions)-1] }

// awsSessionDocuments are the documents of AWS that open sessions.
var awsSessionDocuments = map[string]string{
	"AWS-StartInteractiveCommand":                "InteractiveCommands",
	"AWS-StartNonInteractiveCommand":             "NonInteractiveCommands",
	"AWS-StartPortForwardingSession":             "Port",
	"AWS-StartPortForwardingSessionToRemoteHost": "Port",
	"AWS-StartPortForwardingSessionToSocket":     "Port",
	"AWS-StartSSHSession":                        "Port",
}

// documentName is the document that a request means: its own or the default.
func documentName(name *string) string {
	if name == nil || *name == "" {
		return DefaultDocument
	}
	return *name
}

// DocumentARN is the ARN by which policies name a document. AWS's own have no
// account in theirs; a shared document is named by its ARN.
func (r *Region) DocumentARN(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case strings.HasPrefix(name, "AWS-"):
		return "arn:" + r.Partition + ":ssm:" + r.Scope.Region + "::document/" + name
	default:
		return r.ARN("ssm", "document/"+name)
	}
}

// localName takes the account's own ARN off a document's name.
func (r *Region) localName(name string) string {
	return strings.TrimPrefix(name, r.ARN("ssm", "document/"))
}

// findDocument finds a document of the account by name or ARN.
func (s *State) findDocument(r *Region, name string) (*Document, bool) {
	return s.documents.Get(r.localName(name))
}

// checkSessionDocument checks that a session can run by the document.
func (r *Region) checkSessionDocument(name string) error {
	name = r.localName(name)
	if d, ok := r.history.Latest().documents.Get(name); ok {
		if d.Type != sessionType {
			return invalid("InvalidDocument", "Document type: '%s' is not supported. Only type: 'Session' is supported for Session Manager.", d.Type)
		}
		return nil
	}
	if _, ok := awsSessionDocuments[name]; !ok && name != DefaultDocument {
		return invalidDocument(name)
	}
	return nil
}

// Document finds a document by its name, without any lag.
func (r *Region) Document(name string) (*Document, bool) {
	return r.history.Latest().documents.Get(name)
}

// LoadDocument puts a document of a fixture into the region.
func (r *Region) LoadDocument(f fixtures.Document) error {
	d := &Document{
		Name: f.Name, Type: f.Type, Format: "JSON", Created: r.Now(), Tags: maps.Clone(f.Tags), Default: 1,
		Versions: []DocumentVersion{{Number: 1, Content: fixtures.Text(f.Content), Created: r.Now()}},
	}
	if d.Type == "" {
		d.Type = sessionType
	}
	if !json.Valid([]byte(d.Versions[0].Content)) {
		return fmt.Errorf("the content of document %s is not JSON", f.Name)
	}
	return r.update(r.Now(), func(s *State) error {
		s.documents = s.documents.With(d.Name, d)
		return nil
	})
}
