package objectcache_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A user who may create an object may give it the operator's finalizer. It shows
// nothing about AWS: the operator has written no record.
func TestAFinalizerOfATenantCostsNoMemory(t *testing.T) {
	const (
		first, more = 5, 20
		most        = 32 << 10 // bytes of each
	)
	w := worldWithoutManager(t)
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)

	declare := func(from, to int) {
		for i := from; i < to; i++ {
			a := scenario.Access(fmt.Sprintf("large-%03d", i), "user01", scenario.PC01)
			a.Namespace, a.Finalizers = scenario.Stranger, []string{v1alpha1.Finalizer}
			for n := range 5000 {
				a.Finalizers = append(a.Finalizers, fmt.Sprintf("example.org/%s-%d-%d", strings.Repeat("x", 40), i, n))
			}
			w.Create(a)
		}
		w.AwaitAccesses(scenario.Stranger, to, v1alpha1.ReasonNamespaceNotAllowed)
	}
	declare(0, first)
	before := heap()
	declare(first, first+more)
	each := (heap() - before) / more
	t.Logf("%d bytes of the heap for an object", each)
	if each > most {
		t.Errorf("%d bytes of the heap for an object, and %d are allowed", each, most)
	}
}

// The cache has only the operator's finalizer of a stub, and a patch replaces the list.
func TestAStubThatIsReleasedKeepsTheFinalizersOfOthers(t *testing.T) {
	w := worldWithoutManager(t)
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	w.Manager(t, testenv.ManagerOptions{})
	const other = "example.org/another"
	a := scenario.Access("kept", "user01", scenario.PC01)
	a.Namespace, a.Finalizers = scenario.Stranger, []string{other, v1alpha1.Finalizer}
	w.Create(scenario.Account(), a)
	w.AwaitAccess(a, v1alpha1.ReasonNamespaceNotAllowed)
	w.Must(w.Client.Delete(t.Context(), a))
	released, err := testenv.WaitFor(t.Context(), w.Client, a, func(a *v1alpha1.SessionAccess) bool {
		return !slices.Contains(a.Finalizers, v1alpha1.Finalizer)
	})
	w.Must(err)
	if !slices.Equal(released.Finalizers, []string{other}) {
		t.Errorf("the finalizers are %v, want %s alone", released.Finalizers, other)
	}
	scenario.Change(w.World, a, func(a *v1alpha1.SessionAccess) { a.Finalizers = nil })
	w.Must(testenv.WaitGone(t.Context(), w.Client, a))
}
