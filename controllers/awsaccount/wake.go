package awsaccount

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// usageDelay batches changes of many policies into one write of the account's status.
const usageDelay = 10 * time.Second

// Trigger wakes the controller from outside.
type Trigger struct {
	reconcile.Trigger[ctrl.Request]
}

// PoliciesChanged makes an account report again how much of its quota is used. It
// makes no AWS calls.
func (t *Trigger) PoliciesChanged(account string) {
	t.AddAfter(reconcile.PriorityResync, usageDelay, ctrl.Request{NamespacedName: types.NamespacedName{Name: account}})
}
