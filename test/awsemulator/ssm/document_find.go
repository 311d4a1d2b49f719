package ssm

import (
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// amazon owns the documents of AWS.
const amazon = "Amazon"

// awsSessionDocuments are the documents of AWS that open sessions, with their
// session types.
var awsSessionDocuments = map[string]string{
	"AWS-StartInteractiveCommand":                "InteractiveCommands",
	"AWS-StartNonInteractiveCommand":             "NonInteractiveCommands",
	"AWS-StartPortForwardingSession":             "Port",
	"AWS-StartPortForwardingSessionToRemoteHost": "Port",
	"AWS-StartPortForwardingSessionToSocket":     "Port",
	"AWS-StartSSHSession":                        "Port",
}

// awsDocumentsSince is when the documents of AWS were made: when Session Manager
// appeared, as far as anybody here knows.
var awsDocumentsSince = time.Date(2018, time.September, 11, 0, 0, 0, 0, time.UTC)

// awsDocument is a document of AWS. Only its outline is known.
func awsDocument(name string) (*Document, bool) {
	kind, ok := awsSessionDocuments[name]
	if !ok {
		return nil, false
	}
	content := `{"schemaVersion":"1.0","sessionType":"` + kind + `"}`
	return &Document{
		Name: name, Type: sessionType, Default: 1, Created: awsDocumentsSince,
		Versions: []DocumentVersion{{Number: 1, Content: content, Format: "JSON", Created: awsDocumentsSince}},
	}, true
}

// foundDocument is a document as a caller of the region sees it.
type foundDocument struct {
	*Document
	// owner is an account id or Amazon, name what the caller calls it.
	owner, name string
	// share is the version that may be used, "" any.
	share string
}

// usable reports whether a version may be used.
func (f foundDocument) usable(v DocumentVersion) bool {
	switch f.share {
	case defaultVersion:
		return v.Number == f.Default
	case latestVersion:
		return v.Number == f.Latest().Number
	default:
		return true
	}
}

// document finds a document of the account by its name.
func (s *State) document(now time.Time, name string) (*Document, bool) {
	d, ok := s.documents.Get(name)
	if !ok || (!d.gone.IsZero() && !now.Before(d.gone)) {
		return nil, false
	}
	return d, true
}

// existing yields the documents of the account by name.
func (s *State) existing(now time.Time) iter.Seq[*Document] {
	return func(yield func(*Document) bool) {
		for d := range s.documents.Values() {
			if (d.gone.IsZero() || now.Before(d.gone)) && !yield(d) {
				return
			}
		}
	}
}

// find finds a document by its name or ARN: one of the account, of AWS, or of
// another account that shares it.
func (r *Region) find(s *State, now time.Time, name string) (foundDocument, error) {
	local := r.localName(name)
	if d, ok := awsDocument(strings.TrimPrefix(name, "arn:"+r.Partition+":ssm:"+r.Scope.Region+"::document/")); ok {
		return foundDocument{Document: d, owner: amazon, name: d.Name}, nil
	}
	if d, ok := s.document(now, local); ok {
		return foundDocument{Document: d, owner: r.AccountID, name: d.Name}, nil
	}
	if f, ok := r.findShared(now, name); ok {
		return f, nil
	}
	return foundDocument{}, invalidDocument(name)
}

// findShared finds a document of another account that is shared with this one.
// What is not shared does not exist.
func (r *Region) findShared(now time.Time, name string) (foundDocument, bool) {
	parts := strings.SplitN(name, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "ssm" || parts[3] != r.Scope.Region || parts[4] == r.AccountID {
		return foundDocument{}, false
	}
	owner := r.Elsewhere(parts[4])
	if owner == nil {
		return foundDocument{}, false
	}
	d, ok := owner.at(owner.DocumentLag, now).document(now, strings.TrimPrefix(parts[5], "document/"))
	if !ok {
		return foundDocument{}, false
	}
	for _, with := range []string{r.AccountID, everybody} {
		if share, ok := d.Shares[with]; ok {
			return foundDocument{Document: d, owner: parts[4], name: name, share: share}, true
		}
	}
	return foundDocument{}, false
}

// findVersion finds a document and the version asked for.
func (r *Region) findVersion(s *State, now time.Time, name, version, versionName *string) (foundDocument, DocumentVersion, error) {
	f, err := r.find(s, now, aws.ToString(name))
	if err != nil {
		return foundDocument{}, DocumentVersion{}, err
	}
	v, err := f.resolve(version, versionName)
	if err != nil {
		return foundDocument{}, DocumentVersion{}, err
	}
	if !f.usable(v) {
		return foundDocument{}, DocumentVersion{}, noVersion(f.name, aws.ToString(version))
	}
	return f, v, nil
}

// own finds a document that the account may change.
func (s *State) own(now time.Time, name *string) (*Document, error) {
	if err := documentNamePattern.Check(aws.ToString(name)); err != nil {
		return nil, err
	}
	d, ok := s.document(now, aws.ToString(name))
	if !ok {
		return nil, invalidDocument(aws.ToString(name))
	}
	return d, nil
}

// localName takes the account's own ARN off a document's name.
func (r *Region) localName(name string) string {
	return strings.TrimPrefix(name, r.ARN("ssm", "document/"))
}

// Document finds a document by its name, without any lag.
func (r *Region) Document(name string) (*Document, bool) {
	return r.history.Latest().document(r.Now(), name)
}

// Documents yields the documents of the account by name, without any lag.
func (r *Region) Documents() iter.Seq[*Document] { return r.history.Latest().existing(r.Now()) }
