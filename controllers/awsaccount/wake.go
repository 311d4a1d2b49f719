package awsaccount

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"

	ctrl "sigs.k8s.io/controller-runtime"
)

// usageDelay batches changes of many policies into one write of the account's status.
const usageDelay = 10 * time.Second

// Trigger wakes the controller from outside.
type Trigger struct {
	queue.Trigger[ctrl.Request]
}

// PoliciesChanged makes an account report again how much of its quota is used. It
// makes no AWS calls.
func (t *Trigger) PoliciesChanged(account string) {
	t.AddAfter(queue.PriorityResync, usageDelay, ctrl.Request{NamespacedName: types.NamespacedName{Name: account}})
}
