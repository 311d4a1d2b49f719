package awsaccount

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// A resync stops and asks when it would remove more than freeRemovals policies and more
// than one in removalShare of all policies of this operator: a cluster that was restored
// without its objects must not lock a company out.
const (
	freeRemovals = 10
	removalShare = 3
)

// removeOrphans removes the policies that this operator owns by path and name and that no
// SessionAccess declares. The status shows the removals that it held back.
func (r *Reconciler) removeOrphans(ctx context.Context, account *v1alpha1.AWSAccount, entry accounts.Entry) error {
	ours := entry.IAM.Cache().OwnedPolicies()
	declared, waiting, err := r.declared(ctx, entry)
	if err != nil {
		return err
	}
	unrecorded := slices.DeleteFunc(slices.Clone(ours), func(name string) bool {
		return declared[identity(name)] || emptied(entry.IAM, name)
	})
	pinned := slices.DeleteFunc(slices.Clone(unrecorded), func(name string) bool { return !waiting[identity(name)] })
	pinned = r.pins.keep(entry.AccountID, pinned, r.Clock.Now())
	orphans := slices.DeleteFunc(unrecorded, func(name string) bool { return slices.Contains(pinned, name) })
	blockedMessage := holdRemovals(len(orphans), len(ours), account.Annotations[v1alpha1.AnnotationConfirmRemoval])
	reconcile.SetConditionWhile(&account.Status.Conditions, account.Generation, v1alpha1.ConditionOrphanCleanupBlocked, v1alpha1.ReasonTooManyRemovals, blockedMessage)
	if blockedMessage != "" || len(orphans) == 0 || entry.Mode == v1alpha1.ModeObserve || awaited(account, len(orphans)) {
		return nil
	}
	ctx = awsclient.WithPriority(ctx, awsclient.Revocation)
	var removed []string
	var failures []error
	for _, name := range orphans {
		log.FromContext(ctx).Info("Removing a policy that nobody declares", "policy", name)
		if err := remove(ctx, entry.IAM, name); err != nil {
			failures = append(failures, fmt.Errorf("remove the orphaned policy %s: %w", name, err))
			continue
		}
		removed = append(removed, name)
	}
	if len(removed) == 0 {
		return errors.Join(failures...)
	}
	reconcile.RecordEvent(r.Recorder, account, reconcile.Readyf(v1alpha1.ReasonOrphansRemoved,
		"Policy %s was removed, because no SessionAccess declares it, and so were %d more.", removed[0], len(removed)-1))
	return errors.Join(failures...)
}

// dropOldVersions deletes the old versions of emptied policies of permission sets: each
// allows more than the policy does. Once no SessionAccess names the permission set,
// no other reconciler reads them.
func dropOldVersions(ctx context.Context, entry accounts.Entry) {
	if entry.Mode == v1alpha1.ModeObserve {
		return
	}
	ctx = awsclient.WithPriority(ctx, awsclient.RetriedRevocation)
	for _, name := range entry.IAM.Cache().OwnedPolicies() {
		if !emptied(entry.IAM, name) {
			continue
		}
		for _, version := range entry.IAM.Cache().Policy(name).Versions {
			if version.Default || version.Document == policy.Nothing {
				continue
			}
			if err := entry.IAM.DeleteVersion(ctx, name, version.ID); err != nil {
				log.FromContext(ctx).Info("An old version of an emptied policy could not be deleted", "policy", name, "version", version.ID, "error", err.Error())
			}
		}
	}
}

// inUseBySet reports whether a permission set references a policy, which then cannot be
// deleted without breaking the permission set.
func inUseBySet(in *iam.Account, name string) bool {
	return identity(name).kind == policy.PermissionSet && len(in.Cache().Policy(name).AttachedTo()) > 0
}

// emptied reports whether such a policy grants nothing already.
func emptied(in *iam.Account, name string) bool {
	return inUseBySet(in, name) && in.Cache().Policy(name).Document == policy.Nothing
}

func remove(ctx context.Context, in *iam.Account, name string) error {
	if inUseBySet(in, name) {
		return in.PutDocument(ctx, name, policy.Nothing)
	}
	return in.Remove(ctx, name, policy.Nothing)
}

// holdRemovals decides whether that many removals need a confirmation, and is
// the sentence that asks for it.
func holdRemovals(orphans, ours int, confirmed string) string {
	if orphans <= freeRemovals || orphans*removalShare <= ours || confirmed == strconv.Itoa(orphans) {
		return ""
	}
	return fmt.Sprintf("%d of the %d policies of this operator in the account are declared by no SessionAccess, and none of them is removed. If this cluster was restored, apply its SessionAccesses first. To remove them, annotate this AWSAccount with %s: %q.",
		orphans, ours, v1alpha1.AnnotationConfirmRemoval, strconv.Itoa(orphans))
}

// principalID is what the name of a policy says about its principal.
type principalID struct {
	kind policy.Kind
	hash string
}

func identity(name string) principalID {
	parsed, _ := policy.ParseName(name)
	return principalID{parsed.Kind, parsed.Hash}
}

// declared collects the principals that the objects of an account name in their
// records, also where access is being revoked or left with an account. waiting are those that
// objects without a decision, as after a restore, name in their specs.
func (r *Reconciler) declared(ctx context.Context, entry accounts.Entry) (declared, waiting map[principalID]bool, err error) {
	declared, waiting = map[principalID]bool{}, map[principalID]bool{}
	pending, err := grants.PendingInAccount(ctx, r.Client, entry.AccountID)
	if err != nil {
		return nil, nil, err
	}
	for i := range pending {
		for _, key := range pending[i].Keys() {
			declared[r.identify(key)] = true
		}
	}
	for _, by := range []client.ListOption{queue.OfAccountID(entry.AccountID), queue.OfAccountName(entry.Name)} {
		var all v1alpha1.SessionAccessList
		if err := r.Client.List(ctx, &all, by, client.UnsafeDisableDeepCopy); err != nil {
			return nil, nil, fmt.Errorf("list the SessionAccesses of account %s: %w", entry.AccountID, err)
		}
		for i := range all.Items {
			for _, key := range grants.PrincipalKeysOf(all.Items[i].Status.Applied) {
				if key.AccountID == entry.AccountID {
					declared[r.identify(key)] = true
				}
			}
			if judged(&all.Items[i]) {
				continue
			}
			for _, p := range all.Items[i].Spec.Principals {
				waiting[r.identify(grants.PrincipalKeyOf(entry.AccountID, p))] = true
			}
		}
	}
	return declared, waiting, nil
}

// judged reports whether the present spec was decided on: what it grants is then in
// the record, and what is refused or has expired is nowhere.
func judged(access *v1alpha1.SessionAccess) bool {
	return v1alpha1.Decided(access.Status.Conditions, access.Generation)
}

func (r *Reconciler) identify(key grants.PrincipalKey) principalID {
	return identity(policy.Name(r.OwnerID, policy.Principal{Kind: policy.Kind(key.Kind), Name: key.Name}, 1))
}
