package queue

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func accessTo(account, namespace, name string) *v1alpha1.SessionAccess {
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.SessionAccessSpec{AccountRef: v1alpha1.AccountReference{Name: account}},
	}
}

// A tenant that may create objects can name any number of accounts that do not exist.
func TestInventedAccountsGiveATenantNoMoreTurns(t *testing.T) {
	const invented = 100
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	mine := accessTo("main", "mine", "one")
	objects := []client.Object{&v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}, mine}
	var theirs []ctrl.Request
	for i := range invented {
		a := accessTo(fmt.Sprintf("invented-%d", i), "theirs", fmt.Sprint(i))
		objects = append(objects, a)
		theirs = append(theirs, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(a)})
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	q := ForObjects(c, func() *v1alpha1.SessionAccess { return &v1alpha1.SessionAccess{} }, Limits{Account: invented, Tenant: invented})
	priority := PriorityRevocation
	q.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, theirs...)
	q.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(mine)})
	for turn := 1; ; turn++ {
		item, _, _ := q.GetWithPriority()
		if item.Namespace != "mine" {
			continue
		}
		if turn > 2 {
			t.Errorf("it is served at turn %d, after %d of another tenant", turn, turn-1)
		}
		return
	}
}
