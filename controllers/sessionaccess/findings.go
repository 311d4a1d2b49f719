package sessionaccess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
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
	ctx = cloud.WithPriority(ctx, cloud.Resync)
	blocked, err := r.blockedByTier(ctx, account, access, granted)
	if err != nil {
		return err
	}
	reconcile.Notice(conditions, access.Generation, v1alpha1.ConditionTierBlocksSessions, v1alpha1.ReasonStandardTier, blocked)
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
	return len(grants.HybridRegions(grantedNowIn(access))) > 0
}

// blockedByTier reports the first region whose tier lets no session open on the hybrid
// nodes of the grant, and names the remedy. It skips a region that cannot be read:
// nothing is known about it.
func (r *Reconciler) blockedByTier(ctx context.Context, account accounts.Entry, access *v1alpha1.SessionAccess, granted *v1alpha1.ResolvedGrant) (string, error) {
	regions := grants.HybridRegions(granted)
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
			setting, err := r.Readings.Tiers.Get(ctx, account, region)
			standard = err == nil && !setting.Pending && setting.Tier == cloud.Standard
		}
		if standard {
			return fmt.Sprintf("Region %s has the Standard instances tier, in which no session opens on hybrid nodes. %s", region, mend(declared, access.AccountName())), nil
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

// mend says what changes the tier.
func mend(declared *v1alpha1.AccountTier, account string) string {
	switch {
	case declared == nil || !declared.DeletionTimestamp.IsZero():
		return fmt.Sprintf("Create an AccountTier with tier: Advanced for AWSAccount %q and that region.", account)
	case declared.Spec.Tier == v1alpha1.TierStandard:
		return fmt.Sprintf("Set tier: Advanced on AccountTier %q.", declared.Name)
	default:
		return fmt.Sprintf("AccountTier %q is to change it to Advanced; its own condition Ready tells how far it is.", declared.Name)
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
			switch found, err := r.Readings.Documents.Get(ctx, account, awscache.Document{Region: region, Name: name}); {
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
	case cloud.Classify(unchecked) == cloud.Refused:
		set(metav1.ConditionUnknown, v1alpha1.ReasonNotChecked, "Nobody could look whether the documents exist. "+cloud.Sentence(unchecked))
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
