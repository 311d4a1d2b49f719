package awsaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

const (
	// approvalsEvery is how often the approval policies of an account are listed.
	approvalsEvery = time.Hour
	// maxApprovalRegions bounds the regions that the condition's message names.
	maxApprovalRegions = 5
)

// approvals remembers when each account's approval policies were listed, and where there
// are any. Safe for concurrent use.
type approvals struct {
	mu     sync.Mutex
	listed map[string]approvalList
}

type approvalList struct {
	at      time.Time
	regions []string
}

// regions are those of an account with approval policies. known is false where the
// operator may not list them, and where AWS gave no answer.
func (a *approvals) regions(ctx context.Context, account *v1alpha1.AWSAccount, entry accounts.Entry, now time.Time) (regions []string, known bool) {
	a.mu.Lock()
	last, had := a.listed[entry.AccountID]
	a.mu.Unlock()
	if had && now.Sub(last.at) < approvalsEvery {
		return last.regions, true
	}
	var found []string
	for _, region := range account.Spec.Regions {
		names, err := entry.SSM(string(region)).ApprovalPolicies(ctx)
		switch {
		case awserr.Classify(err) == awserr.Refused:
			found = nil // It is not asked again before the next list is due.
		case err != nil:
			return nil, false
		}
		if err != nil {
			break
		}
		if len(names) > 0 {
			found = append(found, string(region))
		}
	}
	slices.Sort(found)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listed == nil {
		a.listed = map[string]approvalList{}
	}
	a.listed[entry.AccountID] = approvalList{at: now, regions: found}
	return found, true
}

// showApprovals reports where plain access goes past the approval policies of just-in-time
// node access: who may call ssm:StartSession needs no approval.
func (r *Reconciler) showApprovals(ctx context.Context, account *v1alpha1.AWSAccount, entry accounts.Entry) {
	regions, known := r.approvals.regions(ctx, account, entry, r.Clock.Now())
	if !known {
		return
	}
	granted, err := r.grantedRegions(ctx, entry.AccountID)
	if err != nil {
		return // A list from the cache fails only while the manager stops.
	}
	regions = slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return !granted[region] })
	reconcile.SetConditionWhile(&account.Status.Conditions, account.Generation, v1alpha1.ConditionApprovalBypassed, v1alpha1.ReasonApprovalPoliciesFound, bypassed(regions))
}

// grantedRegions are those in which SessionAccesses grant access in an account.
func (r *Reconciler) grantedRegions(ctx context.Context, accountID string) (map[string]bool, error) {
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of account %s: %w", accountID, err)
	}
	regions := map[string]bool{}
	for i := range accesses.Items {
		if record := accesses.Items[i].Status.Applied; record != nil && record.Granted != nil {
			for _, region := range record.Granted.Regions {
				regions[string(region)] = true
			}
		}
	}
	return regions, nil
}

// bypassed is the sentence for regions; "" for none.
func bypassed(regions []string) string {
	if len(regions) == 0 {
		return ""
	}
	named := strings.Join(regions[:min(len(regions), maxApprovalRegions)], ", ")
	if more := len(regions) - maxApprovalRegions; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return fmt.Sprintf("The account has approval policies of just-in-time node access in %s, and SessionAccesses grant access there that needs no approval. Grant no nodes there that are to be reached with an approval only.", named)
}
