package iam

import (
	"context"
	"maps"
)

// Every change of a policy leaves the version before it, until five exist.
// iam:SetDefaultPolicyVersion restores such a version, so the cache keeps what
// the old versions of the operator's policies say. A version never changes.

// version is what is known of one version.
func (p *policy) version(id string) Version {
	v := Version{ID: id, Default: id == p.defaultVersion, Document: p.old[id]}
	if v.Default {
		v.Document = p.document
	}
	return v
}

// retire keeps the document of the default version, which another one replaces.
func (p *policy) retire() {
	if p.defaultVersion == "" || p.document == "" {
		return
	}
	p.old = with(p.old, p.defaultVersion, p.document)
}

// oldAfter are the documents of the old versions after a read: those that it
// gave, and of those that it only listed what was known before.
func (p *policy) oldAfter(seen *observed) map[string]string {
	known := with(p.old, p.defaultVersion, p.document)
	old := map[string]string{}
	for _, id := range seen.versions {
		document := seen.old[id]
		if document == "" {
			document = known[id]
		}
		if id != seen.defaultVersion && document != "" {
			old[id] = document
		}
	}
	return old
}

// remember notes the document of a version that is not the default.
func (o *observed) remember(id, document string) {
	if o.old == nil {
		o.old = map[string]string{}
	}
	o.old[id] = document
}

func with(old map[string]string, id, document string) map[string]string {
	next := make(map[string]string, len(old)+1)
	maps.Copy(next, old)
	next[id] = document
	return next
}

func without(old map[string]string, id string) map[string]string {
	next := maps.Clone(old)
	delete(next, id)
	return next
}

// DeleteVersion deletes a version of an owned policy that is not the default.
// Gone already is fine. A version that became the default meanwhile is a
// Conflict. One call.
func (a *Account) DeleteVersion(ctx context.Context, name, version string) error {
	return a.write(ctx, name, func(w *writer) error {
		return a.Explain(w.dropVersion(ctx, version), "deleting version %s of policy %q", version, name)
	})
}
