package ssm

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// sessionType is the type of documents that sessions run by.
const sessionType = string(types.DocumentTypeSession)

// The names by which requests mean a version.
const (
	latestVersion  = "$LATEST"
	defaultVersion = "$DEFAULT"
	allVersions    = "$ALL"
)

// Document is an SSM document of the account. It is immutable.
type Document struct {
	Name, Type string
	Created    time.Time
	Tags       map[string]string
	// Versions are oldest first.
	Versions []DocumentVersion
	// Default is the number of the default version, next that of the next
	// version to be created: a number is not used twice.
	Default, next int
	// Shares are the versions that accounts may use, by account id or "all":
	// $DEFAULT, $LATEST or $ALL.
	Shares map[string]string
	// gone is when the document has been deleted, zero before its deletion is requested.
	gone time.Time
}

// DocumentVersion is one version of a document.
type DocumentVersion struct {
	Number                             int
	Name, Content, Format, Description string
	Created                            time.Time
	// ready is when it is made, failure why it then turns out to have failed.
	ready   time.Time
	failure string
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

// Latest is the version that was made last.
func (d *Document) Latest() DocumentVersion { return d.Versions[len(d.Versions)-1] }

// Status is that of a version at a time, with what AWS says about it.
func (d *Document) Status(v DocumentVersion, now time.Time) (types.DocumentStatus, string) {
	switch {
	case !d.gone.IsZero():
		return types.DocumentStatusDeleting, ""
	case now.Before(v.ready) && v.Number == 1:
		return types.DocumentStatusCreating, ""
	case now.Before(v.ready):
		return types.DocumentStatusUpdating, ""
	case v.failure != "":
		return types.DocumentStatusFailed, v.failure
	default:
		return types.DocumentStatusActive, ""
	}
}

// settled reports whether no change of the document is in progress.
func (d *Document) settled(now time.Time) bool {
	return d.gone.IsZero() && !slices.ContainsFunc(d.Versions, func(v DocumentVersion) bool { return now.Before(v.ready) })
}

// resolve finds the version that a request means: a number, $LATEST, $DEFAULT,
// or the default where nothing is said. A name, where one is given, must be
// that of the version.
func (d *Document) resolve(version, name *string) (DocumentVersion, error) {
	text := aws.ToString(version)
	if err := checkVersion(text); err != nil {
		return DocumentVersion{}, err
	}
	if text == "" && aws.ToString(name) != "" {
		for _, v := range d.Versions {
			if v.Name == *name {
				return v, nil
			}
		}
		return DocumentVersion{}, noVersion(d.Name, *name)
	}
	number := d.Default
	switch text {
	case "", defaultVersion:
	case latestVersion:
		number = d.Latest().Number
	default:
		// The pattern lets through no other than digits; too many are no version.
		number, _ = strconv.Atoi(text)
	}
	v, ok := d.Version(number)
	if !ok || (aws.ToString(name) != "" && v.Name != *name) {
		return DocumentVersion{}, noVersion(d.Name, text)
	}
	return v, nil
}

// with returns a copy that change has changed.
func (d *Document) with(change func(*Document)) *Document {
	next := *d
	next.Versions = slices.Clone(d.Versions)
	change(&next)
	return &next
}
