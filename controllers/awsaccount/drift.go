package awsaccount

import (
	"context"
	"fmt"

	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// maxDriftEvents bounds the events of one read; the last one counts the rest.
const maxDriftEvents = 10

// Drifts is the one place that records foreign changes to this operator's policies, found
// by any read of IAM: in metrics, in events on the AWSAccount, and in the count of repairs.
// Every field is required.
type Drifts struct {
	Client   client.Reader
	Recorder events.EventRecorder
	// Contention counts the repairs.
	Contention *contention.Tracker
	// Found counts a change of a kind, and Contended a policy that is contended from
	// now on. Neither may block.
	Found     func(accountID string, kind iam.DriftKind)
	Contended func(accountID string)
	// Wake has the principals of an account repair what was changed. It must not
	// block.
	Wake accounts.Listener
}

// Report is for iam.Pool.OnDrift.
func (d *Drifts) Report(accountID string, drifts []iam.Drift) {
	for _, drift := range drifts {
		d.Found(accountID, drift.Kind)
	}
	ctx := context.Background() // It only reads the cache.
	account, err := accounts.Declaring(ctx, d.Client, accountID)
	if err != nil || account == nil {
		log.Log.Info("No AWSAccount declares the account in which policies were changed", "account", accountID)
		return
	}
	d.announce(account, drifts)
	if account.Spec.Mode == v1alpha1.ModeObserve {
		return // Nothing is put back.
	}
	for range d.Contention.Repair(accountID, policiesOf(drifts)) {
		d.Contended(accountID)
	}
	d.Wake(ctx, accountID, account.Name, true)
}

func policiesOf(drifts []iam.Drift) []string {
	names := make([]string, len(drifts))
	for i, d := range drifts {
		names[i] = d.Policy
	}
	return names
}

// announce records events. To the principals, which put it back, a change is one
// more difference.
func (d *Drifts) announce(account *v1alpha1.AWSAccount, drifts []iam.Drift) {
	for i, drift := range drifts {
		message := describeDrift(drift, account.Spec.Mode)
		if i == maxDriftEvents {
			message = fmt.Sprintf("%d more policies were changed outside of the operator.", len(drifts)-i)
		}
		reconcile.RecordEvent(d.Recorder, account, reconcile.Stalledf(v1alpha1.ReasonDriftFound, "%s", message))
		if i == maxDriftEvents {
			return
		}
	}
}

// showContended sets the condition that names the contended policies of an account.
func (r *Reconciler) showContended(account *v1alpha1.AWSAccount) {
	message := contention.Message(r.Contention.In(account.Spec.AccountID))
	appeared := reconcile.SetConditionWhile(&account.Status.Conditions, account.Generation, v1alpha1.ConditionPoliciesContended, v1alpha1.ReasonContended, message)
	if appeared {
		reconcile.RecordEvent(r.Recorder, account, reconcile.Stalledf(v1alpha1.ReasonContended, "%s", message))
	}
}

func describeDrift(d iam.Drift, mode v1alpha1.AccountMode) string {
	remedy := "it is put back"
	if mode == v1alpha1.ModeObserve {
		remedy = "in mode Observe it is left so"
	}
	var found string
	switch d.Kind {
	case iam.Edited:
		found = "was edited"
	case iam.DefaultMoved:
		found = "got another default version"
	case iam.Detached:
		found = fmt.Sprintf("was detached from %s", d.Principal)
	case iam.AttachedElsewhere:
		found = fmt.Sprintf("was attached to %s", d.Principal)
	case iam.Deleted:
		found = "was deleted"
	case iam.Appeared:
		found, remedy = "appeared under this operator's path", "it is removed unless a SessionAccess declares it"
	}
	return fmt.Sprintf("Policy %s %s outside of the operator; %s.", d.Policy, found, remedy)
}
