package sessionaccess

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// setFindings reports what keeps sessions from opening although they are granted: what
// the documents and the hybrid nodes lack. The operator reads it from AWS once in a
// resync, for the first object that asks, and never during a revocation, which must not
// wait.
func (r *Reconciler) setFindings(ctx context.Context, access *v1alpha1.SessionAccess) error {
	if access.Status.Applied != nil && len(access.Status.Applied.Revoking) > 0 {
		return nil
	}
	conditions, granted := &access.Status.Conditions, grantedNowIn(access)
	account, ok := accounts.Entry{}, false
	if granted != nil {
		account, ok = r.Accounts.Get(granted.AccountID)
	}
	if !ok {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionTierBlocksSessions)
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionDocumentMissing)
		return nil
	}
	ctx = awsclient.WithPriority(ctx, awsclient.Resync)
	blocked, err := r.blockedByTier(ctx, account, access, granted)
	if err != nil {
		return err
	}
	reconcile.SetConditionWhile(conditions, access.Generation, v1alpha1.ConditionTierBlocksSessions, v1alpha1.ReasonStandardTier, blocked)
	r.setDocumentMissing(ctx, account, access, granted)
	return nil
}

func grantedNowIn(access *v1alpha1.SessionAccess) *v1alpha1.ResolvedGrant {
	if access.Status.Applied == nil || !access.DeletionTimestamp.IsZero() {
		return nil
	}
	return access.Status.Applied.Granted
}

// findable reports whether there may be something to find out for an object.
func findable(access *v1alpha1.SessionAccess) bool {
	return targetsHybridNodes(access) || len(plainDocuments(&access.Spec)) > 0
}

func targetsHybridNodes(access *v1alpha1.SessionAccess) bool {
	return len(admission.HybridRegions(grantedNowIn(access))) > 0
}

// blockedByTier reports the first region whose tier lets no session open on the hybrid
// nodes of the grant, and names the remedy. It skips a region that cannot be read:
// nothing is known about it.
func (r *Reconciler) blockedByTier(ctx context.Context, account accounts.Entry, access *v1alpha1.SessionAccess, granted *v1alpha1.ResolvedGrant) (string, error) {
	regions := admission.HybridRegions(granted)
	if len(regions) == 0 {
		return "", nil
	}
	var tiers v1alpha1.AccountTierList
	if err := r.Client.List(ctx, &tiers, queue.OfAccountName(access.AccountName()), client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("list the AccountTiers of AWSAccount %q: %w", access.AccountName(), err)
	}
	for _, region := range regions {
		declared, record := tierOf(tiers.Items, region)
		standard := record != nil && record.Tier == v1alpha1.TierStandard
		if record == nil || record.Tier == "" {
			setting, err := r.Caches.Tiers.Get(ctx, account, region)
			standard = err == nil && !setting.Pending && setting.Tier == ssm.Standard
		}
		if standard {
			return fmt.Sprintf("Region %s has the Standard instances tier, in which no session opens on hybrid nodes. %s", region, remedyFor(declared, access.AccountName())), nil
		}
	}
	return "", nil
}

// tierOf finds the AccountTier that knows the tier of the region.
func tierOf(tiers []v1alpha1.AccountTier, region v1alpha1.Region) (*v1alpha1.AccountTier, *v1alpha1.RegionTier) {
	for i := range tiers {
		for j := range tiers[i].Status.Regions {
			if record := &tiers[i].Status.Regions[j]; record.Region == region && record.Tier != "" {
				return &tiers[i], record
			}
		}
	}
	return nil, nil
}

// remedyFor says what changes the tier.
func remedyFor(declared *v1alpha1.AccountTier, account string) string {
	switch {
	case declared == nil || !declared.DeletionTimestamp.IsZero():
		return fmt.Sprintf("Create an AccountTier with tier: Advanced for AWSAccount %q and that region.", account)
	case declared.Spec.Tier == v1alpha1.TierStandard:
		return fmt.Sprintf("Set tier: Advanced on AccountTier %q.", declared.Name)
	default:
		return fmt.Sprintf("AccountTier %q is to change it to Advanced; its own condition Ready says how far it is.", declared.Name)
	}
}

// maxMissing bounds the documents that a message names.
const maxMissing = 3

// setDocumentMissing reports documents given by name that do not exist, or else that the
// operator lacks the permission to check.
func (r *Reconciler) setDocumentMissing(ctx context.Context, account accounts.Entry, access *v1alpha1.SessionAccess, granted *v1alpha1.ResolvedGrant) {
	var missing []string
	var unchecked error
	for _, name := range plainDocuments(&access.Spec) {
		for _, region := range granted.Regions {
			if !admission.InRegion(name, region) {
				continue
			}
			switch found, err := r.Caches.Documents.Get(ctx, account, awscache.Document{Region: region, Name: name}); {
			case err != nil && unchecked == nil:
				unchecked = err
			case err == nil && !found:
				missing = append(missing, fmt.Sprintf("%s in %s", name, region))
			}
		}
	}
	set := func(status metav1.ConditionStatus, reason, message string) {
		reconcile.SetCondition(&access.Status.Conditions, access.Generation, v1alpha1.ConditionDocumentMissing, status, reason, message)
	}
	switch {
	case len(missing) > 0:
		set(metav1.ConditionTrue, v1alpha1.ReasonDocumentNotFound, missingMessage(missing))
	case awserr.Classify(unchecked) == awserr.Refused:
		set(metav1.ConditionUnknown, v1alpha1.ReasonNotChecked, "Nobody could look whether the documents exist. "+awserr.UserMessage(unchecked))
	case unchecked == nil:
		meta.RemoveStatusCondition(&access.Status.Conditions, v1alpha1.ConditionDocumentMissing)
	}
	// Otherwise AWS failed, and what was known stays.
}

func missingMessage(missing []string) string {
	named := strings.Join(missing[:min(len(missing), maxMissing)], ", ")
	if more := len(missing) - maxMissing; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return fmt.Sprintf("Session documents that do not exist, so that no session opens with them: %s. Create them, for example as SessionDocuments, or correct the names.", named)
}

// plainDocuments are the documents that a spec gives by name. The default one
// need not exist: AWS has preferences of its own then.
func plainDocuments(spec *v1alpha1.SessionAccessSpec) []string {
	var names []string
	for _, d := range spec.Documents {
		if d.Name != "" && d.Name != v1alpha1.DefaultDocument && !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}

// setEffective shows while IAM denies what is granted. While this process has no answer,
// the condition stays as it is.
func (r *Reconciler) setEffective(access *v1alpha1.SessionAccess) {
	conditions := &access.Status.Conditions
	if grantedNowIn(access) == nil {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionEffective)
		return
	}
	effect, known := r.Effects.Get(access.UID)
	switch {
	case !known:
	case effect.Message == "":
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionEffective)
	default:
		reconcile.SetCondition(conditions, access.Generation, v1alpha1.ConditionEffective, metav1.ConditionFalse, effect.Reason, effect.Message)
	}
}

// setReachable shows what was found on the nodes of an access, as long as it has a
// current grant. While this process has no finding, the status stays as it is. It returns
// the condition where that has changed.
func (r *Reconciler) setReachable(access *v1alpha1.SessionAccess) (news *metav1.Condition) {
	status := &access.Status
	if grantedNowIn(access) == nil {
		status.Targets = nil
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionTargetsReachable)
		return nil
	}
	report, ok := r.Targets.Get(access.UID)
	if !ok {
		return nil
	}
	before := metav1.Condition{}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionTargetsReachable); c != nil {
		before = *c
	}
	status.Targets = report.Targets.DeepCopy()
	reconcile.SetCondition(&status.Conditions, access.Generation, v1alpha1.ConditionTargetsReachable, report.Status, report.Reason, report.Message)
	switch {
	case before.Status == report.Status && before.Reason == report.Reason:
		return nil
	case before.Status == "" && report.Status == metav1.ConditionTrue:
		return nil // As it should be, from the first look on.
	}
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionTargetsReachable)
}

// announceReachable records an event: the nodes of an access became reachable or
// unreachable.
func (r *Reconciler) announceReachable(access *v1alpha1.SessionAccess, news *metav1.Condition) {
	kind := corev1.EventTypeNormal
	if news.Status == metav1.ConditionFalse {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(access, nil, kind, news.Reason, "Look", "%s", news.Message)
}

// summarizeReachable is "11/12".
func summarizeReachable(t *v1alpha1.TargetsStatus) string {
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("%d/%d", *t.Connected, *t.Total)
	if t.Incomplete {
		text += "+"
	}
	if t.Unknown > 0 || t.Unjudged > 0 {
		text += "?"
	}
	return text
}

// maxSummary bounds the short texts, in characters; the API allows 256 bytes.
const maxSummary = 60

// summarize makes the short texts for kubectl get.
func summarize(spec *v1alpha1.SessionAccessSpec, status *v1alpha1.SessionAccessStatus) *v1alpha1.AccessSummary {
	return &v1alpha1.AccessSummary{
		Principals: shorten(summarizePrincipals(spec.Principals)),
		Targets:    shorten(summarizeTargets(spec.Targets)),
		Policies:   summarizePolicies(status.Principals),
		Reachable:  summarizeReachable(status.Targets),
	}
}

func summarizePrincipals(principals []v1alpha1.Principal) string {
	if len(principals) == 0 {
		return ""
	}
	first := nameOf(principals[0])
	if len(principals) == 1 {
		return first
	}
	return fmt.Sprintf("%s +%d", first, len(principals)-1)
}

func nameOf(p v1alpha1.Principal) string { return string(p.Kind) + "/" + p.Name }

func summarizeTargets(targets []v1alpha1.Target) string {
	var ids []v1alpha1.InstanceID
	var parts []string
	for _, t := range targets {
		ids = append(ids, t.InstanceIDs...)
		if len(t.Tags) > 0 {
			parts = append(parts, joinTags(t.Tags))
		}
		if t.ActivationRef != nil {
			parts = append(parts, "HybridActivation/"+t.ActivationRef.Name)
		}
	}
	switch len(ids) {
	case 0:
	case 1:
		parts = append([]string{string(ids[0])}, parts...)
	default:
		parts = append([]string{fmt.Sprintf("%d instances", len(ids))}, parts...)
	}
	if len(parts) > 1 {
		return fmt.Sprintf("%s +%d", parts[0], len(parts)-1)
	}
	return strings.Join(parts, "")
}

func joinTags(tags map[string]string) string {
	parts := make([]string, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		parts = append(parts, key+"="+tags[key])
	}
	return strings.Join(parts, ",")
}

func summarizePolicies(principals []v1alpha1.PrincipalStatus) string {
	var names []string
	for _, p := range principals {
		for _, arn := range p.PolicyARNs {
			names = append(names, path.Base(arn))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return fmt.Sprintf("%d policies", len(names))
	}
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= maxSummary {
		return text
	}
	return string(runes[:maxSummary-1]) + "…"
}

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
