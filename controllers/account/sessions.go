package account

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// listSessions tries whether open sessions can be listed in every region, which
// ending them needs, and keeps the answer as a condition. What worked once is
// expected to work: a revocation waits for it from then on.
func (r *Reconciler) listSessions(ctx context.Context, account *v1alpha1.AWSAccount, in *cloud.Account) registry.Sessions {
	ever := everListed(account)
	for _, region := range account.Spec.Regions {
		if err := in.CanListSessions(ctx, string(region)); err != nil {
			reason := v1alpha1.ReasonNeverListed
			if ever {
				reason = v1alpha1.ReasonListingLost
			}
			setListing(account, metav1.ConditionFalse, reason,
				fmt.Sprintf("Open sessions in %s cannot be listed, so a revocation cannot end them. %s", region, cloud.Sentence(err)))
			return listed(ever)
		}
	}
	setListing(account, metav1.ConditionTrue, v1alpha1.ReasonSessionsListed, "Open sessions can be listed in every region of this account.")
	return registry.SessionsListed
}

// everListed reads from the condition whether listing worked before; it
// outlives the process.
func everListed(account *v1alpha1.AWSAccount) bool {
	c := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionSessionListing)
	return c != nil && (c.Status == metav1.ConditionTrue || c.Reason == v1alpha1.ReasonListingLost)
}

func listed(ever bool) registry.Sessions {
	if ever {
		return registry.SessionsListed
	}
	return registry.SessionsNeverListed
}

func setListing(account *v1alpha1.AWSAccount, status metav1.ConditionStatus, reason, message string) {
	lifecycle.SetCondition(&account.Status.Conditions, account.Generation, v1alpha1.ConditionSessionListing, status, reason, message)
}
