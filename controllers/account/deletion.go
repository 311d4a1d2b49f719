package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
)

// maxNamed bounds the dependents that a message names.
const maxNamed = 5

// dependents lists the objects that need an account, to work or to have access
// taken away, in a stable order.
func (r *Reconciler) dependents(ctx context.Context, account *v1alpha1.AWSAccount) ([]string, error) {
	var names []string
	lists := []client.ListOption{index.OfAccountName(account.Name)}
	if entry, ok := r.Accounts.Get(account.Spec.AccountID); !ok || entry.Name == account.Name {
		// Nobody else is there to take their access away.
		lists = append(lists, index.OfAccountID(account.Spec.AccountID))
	}
	for _, by := range lists {
		var all v1alpha1.SessionAccessList
		if err := r.Client.List(ctx, &all, by, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the SessionAccesses of AWSAccount %q: %w", account.Name, err)
		}
		for i := range all.Items {
			names = append(names, all.Items[i].Namespace+"/"+all.Items[i].Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// inUse tells which objects keep an account that is being deleted.
func inUse(dependents []string) lifecycle.Verdict {
	named := strings.Join(dependents[:min(len(dependents), maxNamed)], ", ")
	if more := len(dependents) - maxNamed; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return lifecycle.Verdict{
		Progress: lifecycle.Stuck, Reason: v1alpha1.ReasonInUse,
		Message: fmt.Sprintf("This AWSAccount is being deleted and stays while SessionAccesses use it, so that their access can be taken away; delete them: %s.", named),
	}
}
