package objectcache_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// sized is a SessionAccess with so many targets of 50 tags each, as long as the
// schema takes them.
func sized(name string, targets, tags int) *v1alpha1.SessionAccess {
	a := scenario.Access(name, "user01")
	a.Namespace, a.Spec.Targets = scenario.Stranger, nil
	for i := range targets {
		target := v1alpha1.Target{Tags: map[string]string{}}
		for j := range tags {
			target.Tags[fmt.Sprintf("k%02d%02d%s", i, j, strings.Repeat("漢", 120))] = strings.Repeat("漢", 256)
		}
		a.Spec.Targets = append(a.Spec.Targets, target)
	}
	return a
}

// largest makes the largest SessionAccesses that the schema accepts, nearly.
func (w world) largest() func(name string) *v1alpha1.SessionAccess {
	w.T.Helper()
	targets, tags := 20, 50
	for {
		err := w.Client.Create(w.T.Context(), sized("trial", targets, tags), client.DryRunAll)
		switch {
		case err == nil:
			return func(name string) *v1alpha1.SessionAccess { return sized(name, targets, tags) }
		case !apierrors.IsInvalid(err) || tags == 1:
			w.T.Fatal(err)
		case targets > 1:
			targets--
		default:
			tags--
		}
	}
}

// heap is how many bytes of this process are in use, the operator's among them.
func heap() int {
	runtime.GC()
	runtime.GC() // What a pool holds goes with the second.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestObjectsOfNamespacesThatNoAccountAllowsCostLittleMemory(t *testing.T) {
	const (
		first, more = 10, 40   // objects of about 1 MiB
		most        = 32 << 10 // bytes of each
		buffers     = 4 << 20  // bytes of a manager that receives such objects, however many
	)
	w := worldWithoutManager(t)
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	before := heap()
	manager := w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	empty, large := heap()-before, w.largest()
	declare := func(from, to int) {
		for i := from; i < to; i++ {
			w.Create(large(fmt.Sprintf("large-%03d", i)))
		}
		w.AwaitAccesses(scenario.Stranger, to, v1alpha1.ReasonNamespaceNotAllowed)
	}
	declare(0, first)
	before = heap()
	declare(first, first+more)
	each := (heap() - before) / more
	t.Logf("%d bytes of the heap for an object", each)
	if each > most {
		t.Errorf("%d bytes of the heap for an object, and %d are allowed", each, most)
	}
	w.Must(manager.Stop())
	before = heap()
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	all := heap() - before - empty
	t.Logf("%d bytes of the heap for %d objects after a restart", all, first+more)
	if all > buffers+(first+more)*most {
		t.Errorf("%d bytes of the heap for %d objects after a restart", all, first+more)
	}
	runtime.KeepAlive(manager) // Or what it held would be taken off.
}

func TestAnObjectIsReadWholeWhenItsNamespaceBecomesAllowed(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "stg"})
	w.SetNodeTags(scenario.PC02, nil)
	grant := scenario.Access("user01-stg", "user01")
	grant.Namespace, grant.Spec.Targets = scenario.Stranger, []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: v1alpha1.DefaultDocument}, {Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	document, site := scenario.SessionDocument(), scenario.Activation("site")
	document.Namespace, site.Namespace = scenario.Stranger, scenario.Stranger
	site.Spec.Tags = map[string]string{"Env": "stg"}
	w.Create(scenario.Account(scenario.AllowActivations()), grant, document, site)

	got := w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `namespace "stranger"`)
	if s := got.Status.Summary; s == nil || s.Principals != "User/user01" || s.Targets != "Env=stg" {
		t.Errorf("kubectl get shows %+v", s)
	}
	w.AwaitDocument(document, v1alpha1.ReasonNamespaceNotAllowed)
	w.AwaitActivation(site, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectAccess(false, false, false, false)

	scenario.Change(w.World, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: scenario.Stranger}}, func(n *corev1.Namespace) { n.Labels["team"] = "a" })
	w.AwaitDocument(document, v1alpha1.ReasonInPlace)
	w.AwaitActivation(site, v1alpha1.ReasonActivated)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)
	if !w.MayOpenWith("user01", scenario.PC01, scenario.LoggedDocument) {
		t.Error("a document that the spec names is not granted")
	}
	for _, made := range w.Activations() {
		if made.Tags["Env"] != "stg" {
			t.Errorf("the activation has the tags %v", made.Tags)
		}
	}
}

func TestAnEditOfAnObjectThatIsNotAllowedIsJudged(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Namespace = scenario.Stranger
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals[0].Name = "user02" })
	if s := w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed).Status.Summary; s.Principals != "User/user02" || s.Targets != scenario.PC01 {
		t.Errorf("kubectl get shows %+v", s)
	}
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	if n := w.IAMWrites(); n != 0 {
		t.Errorf("%d writes for a namespace that no account allows", n)
	}
}
