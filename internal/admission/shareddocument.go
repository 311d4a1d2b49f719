package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// sharedDocument is a document that another account shares, as its ARN names it.
type sharedDocument struct {
	region        v1alpha1.Region
	account, name string
}

// shared reads the ARN of a document; ok is false for a name.
func shared(name string) (d sharedDocument, ok bool) {
	parts := strings.SplitN(name, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return sharedDocument{}, false
	}
	return sharedDocument{region: v1alpha1.Region(parts[3]), account: parts[4], name: strings.TrimPrefix(parts[5], "document/")}, true
}

// InRegion reports whether a document, given by name or ARN, can be used in a region.
func InRegion(document string, region v1alpha1.Region) bool {
	d, isARN := shared(document)
	return !isARN || d.region == region
}

// namesOwnARN reports whether a spec names a document of the account itself by its ARN,
// which no change of another object makes right.
func (in SessionAccess) namesOwnARN() bool {
	return slices.ContainsFunc(in.Object.Spec.Documents, func(document v1alpha1.DocumentReference) bool {
		d, isARN := shared(document.Name)
		return isARN && d.account == in.Account.Spec.AccountID
	})
}

// unusableARN says why a document cannot be given by this ARN; "" for a name, or where it
// can.
func (in SessionAccess) unusableARN(document string, regions []v1alpha1.Region) string {
	d, isARN := shared(document)
	switch {
	case !isARN:
		return ""
	case d.account == in.Account.Spec.AccountID:
		return fmt.Sprintf("is the account's own, and an ARN is for one that another account shares: write %s instead", d.name)
	case !slices.Contains(regions, d.region):
		return fmt.Sprintf("is in %s, which regions leaves out: add it there", d.region)
	default:
		return ""
	}
}

// MatchesDocument reports whether one of the patterns matches a document. One that another
// account shares is matched by its ARN, and by no pattern of names: the account decides
// what the document does.
func MatchesDocument(patterns []v1alpha1.NamePattern, document string) bool {
	if _, isARN := shared(document); !isARN {
		return MatchesAny(patterns, document)
	}
	return slices.ContainsFunc(patterns, func(p v1alpha1.NamePattern) bool {
		return strings.HasPrefix(string(p), "arn:") && matchesText(string(p), document)
	})
}
