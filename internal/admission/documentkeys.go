package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// DocumentKeys are the KMS keys that the documents of an access name, as far as the
// operator has read the documents. The zero value says that it has read none.
type DocumentKeys struct {
	// Read lists the documents that were read, and that exist.
	Read []DocumentKey
}

// DocumentKey is the key that a document names in a region.
type DocumentKey struct {
	// Document is the name of the document in AWS.
	Document string
	Region   v1alpha1.Region
	// ID is the key as the document names it: an id, an alias or an ARN, or a reference to a
	// parameter, which the agent resolves when a session opens. "" is none.
	ID string
	// ARN of the key; "" where it could not be found.
	ARN string
}

// isTemplate reports whether the document leaves the key to a parameter.
func (k DocumentKey) isTemplate() bool { return strings.Contains(k.ID, "{{") }

// of is the key of a document in a region; ok is false where the document was not read.
func (k DocumentKeys) of(document string, region v1alpha1.Region) (key DocumentKey, ok bool) {
	i := slices.IndexFunc(k.Read, func(key DocumentKey) bool { return key.Document == document && key.Region == region })
	if i < 0 {
		return DocumentKey{}, false
	}
	return k.Read[i], true
}

// named is a document that a spec gives by its name, once for each key that the namespace
// may name. Where the document or its key was not read, the keys that are granted already stay as
// long as a guardrail may allow them: a restart of the operator revokes nothing.
func (in SessionAccess) named(name string, regions []v1alpha1.Region) []v1alpha1.ResolvedDocument {
	keys := map[string]bool{}
	for _, region := range regions {
		key, read := in.Keys.of(name, region)
		switch {
		case key.isTemplate(): // The key is not known before a session opens.
		case !read || key.ID != "" && key.ARN == "":
			for _, arn := range in.grantedKeys(name, region) {
				if in.mayNameKey(DocumentKey{ID: key.ID, ARN: arn}) {
					keys[arn] = true
				}
			}
		case key.ID != "" && in.mayNameKey(key):
			keys[key.ARN] = true
		}
	}
	if len(keys) == 0 {
		return []v1alpha1.ResolvedDocument{{Name: name}}
	}
	documents := make([]v1alpha1.ResolvedDocument, 0, len(keys))
	for _, arn := range slices.Sorted(maps.Keys(keys)) {
		documents = append(documents, v1alpha1.ResolvedDocument{Name: name, KMSKeyARN: arn})
	}
	return documents
}

// grantedKeys are the keys of a document in a region that are granted now. A record from a
// backup proves nothing.
func (in SessionAccess) grantedKeys(name string, region v1alpha1.Region) []string {
	granted := in.granted()
	if granted == nil || in.restored() {
		return nil
	}
	var keys []string
	for _, d := range granted.Documents {
		if d.Name == name && strings.Contains(d.KMSKeyARN, ":kms:"+string(region)+":") {
			keys = append(keys, d.KMSKeyARN)
		}
	}
	return keys
}

// mayNameKey reports whether the guardrails let the namespace name a key, by what the
// document has or by its ARN. What the document has is not known where ID is "": then a
// pattern for something else than the ARN of a key may be for it.
func (in SessionAccess) mayNameKey(key DocumentKey) bool {
	allowed := false
	for _, rule := range in.documentRules() {
		patterns := rule.SessionDocuments.Keys
		if len(patterns) == 0 {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p v1alpha1.KeyPattern) bool {
			return matchesText(string(p), key.ID) || matchesText(string(p), key.ARN) || key.ID == "" && !strings.Contains(string(p), ":key/")
		}) {
			return false
		}
		allowed = true
	}
	return allowed
}

// ungrantedKey says which key of a document that the spec gives by name is not granted, and
// what to do; "" where none is known.
func (in SessionAccess) ungrantedKey(regions []v1alpha1.Region) string {
	for _, d := range in.Object.Spec.Documents {
		if d.Ref != nil {
			continue
		}
		for _, region := range regions {
			key, read := in.Keys.of(d.Name, region)
			if !read || key.ID == "" || key.ARN != "" && in.mayNameKey(key) {
				continue
			}
			remedy := fmt.Sprintf("add the key to sessionDocuments.keys of a guardrail of AWSAccount %q that matches namespace %q", in.Account.Name, in.NamespaceName)
			switch {
			case key.isTemplate():
				return fmt.Sprintf("The agent reads the key of sessions with document %q in %s from %s when one opens, so this access grants no key, and none opens unless something else allows kms:GenerateDataKey on it; name the key itself in kmsKeyId of the document, or allow kms:GenerateDataKey on it by another policy.", d.Name, region, key.ID)
			case key.ARN == "":
				remedy = "correct kmsKeyId in the document, or allow kms:DescribeKey on the key to the operator's role"
			}
			return fmt.Sprintf("Sessions with document %q in %s are encrypted with key %q, which this access does not grant, so none opens unless something else allows kms:GenerateDataKey on it; %s.", d.Name, region, key.ID, remedy)
		}
	}
	return ""
}
