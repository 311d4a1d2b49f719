package account

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
)

// usageDelay gathers the policies that come and go together into one write of
// the account's status.
const usageDelay = 10 * time.Second

// Trigger wakes the controller from outside.
type Trigger struct {
	lifecycle.Trigger[reconcile.Request]
}

// PoliciesChanged makes an account show anew how much of its quota is used. It
// asks AWS nothing.
func (t *Trigger) PoliciesChanged(account string) {
	t.AddAfter(lifecycle.PriorityResync, usageDelay, reconcile.Request{NamespacedName: types.NamespacedName{Name: account}})
}
