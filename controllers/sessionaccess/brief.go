package sessionaccess

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
)

// Brief is what a stub keeps of a spec for the summary.
func Brief(spec *v1alpha1.SessionAccessSpec) objectcache.Brief {
	return objectcache.Brief{Principals: shorten(summarizePrincipals(spec.Principals)), Targets: shorten(summarizeTargets(spec.Targets))}
}

// summaryOf makes the short texts for kubectl get, those of a stub too.
func summaryOf(access *v1alpha1.SessionAccess) *v1alpha1.AccessSummary {
	summary := summarize(&access.Spec, &access.Status)
	if brief, ok := objectcache.BriefOf(access); ok {
		summary.Principals, summary.Targets = brief.Principals, brief.Targets
	}
	return summary
}
