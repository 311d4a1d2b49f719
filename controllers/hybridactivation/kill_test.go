package hybridactivation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// activationLag is how late the emulated AWS shows what was made or deleted: less
// than the window, and long enough for a crash to fall into it.
const activationLag = 20 * time.Second

// mortal is an operator that is killed at one request after another.
type mortal struct {
	world
	fuse    *fuse
	manager *testenv.Manager
	kills   int
}

// start starts the operator again, as after a restart.
func (m *mortal) start() {
	m.T.Helper()
	m.fuse = newFuse(ofActivations)
	m.manager = m.Manager(m.T, m.fuse.options(m.world))
}

// life is a part of a HybridActivation's life: begin starts it, and rest says
// when nothing is left to do.
type life struct {
	begin func(*v1alpha1.HybridActivation)
	rest  func(*v1alpha1.HybridActivation) bool
	// gone: at rest there is no object any more.
	gone bool
	// check looks at what there is at rest.
	check func(*v1alpha1.HybridActivation)
}

// killedEverywhere runs a part of a life again and again, and kills the operator
// at the first request, at the second, and so on, before and after its effect,
// until one passes undisturbed. After each kill it is started again, and
// everything must come to what it should be.
func (m *mortal) killedEverywhere(name string, l life, prepare func() *v1alpha1.HybridActivation) {
	m.T.Helper()
	for _, answer := range []bool{false, true} {
		for n := 1; ; n++ {
			obj := prepare()
			// So that the first thing is to read what AWS holds.
			m.Emulator.Advance(scenario.Window)
			m.fuse.arm(n, answer)
			l.begin(obj)
			rested := m.comesToRest(obj, l)
			// It may be killed at rest, too: by a request that changes nothing any more.
			steps, killed := m.fuse.disarm()
			if !rested && !killed {
				m.T.Fatalf("%s: no rest, and not killed", name)
			}
			if killed {
				m.kills++
				// Its end may say that what it still had to write did not get through.
				_ = m.manager.Stop()
				m.start()
				if !m.comesToRest(obj, l) {
					m.T.Fatalf("%s: killed without a reason", name)
				}
			}
			l.check(obj)
			if m.T.Failed() {
				m.T.Fatalf("%s: killed at request %d (answer lost: %t), after\n%q", name, n, answer, steps)
			}
			if !killed {
				m.T.Logf("%s: %d requests", name, len(steps))
				break
			}
		}
	}
}

// comesToRest waits until nothing is left to do, and lets the time pass that the
// operator waits for. It says false when the operator was killed before.
func (m *mortal) comesToRest(obj *v1alpha1.HybridActivation, l life) bool {
	m.T.Helper()
	blown := m.fuse.blown
	ctx, cancel := context.WithCancel(m.T.Context())
	defer cancel()
	go func() {
		select {
		case <-blown:
			cancel()
		case <-ctx.Done():
		}
	}()
	for paused := ""; ; {
		got, err := m.restsOrPauses(ctx, obj, l, paused)
		switch {
		case ctx.Err() != nil && m.T.Context().Err() == nil:
			return false
		case err != nil:
			m.T.Fatal(err)
		case got == nil:
			return true
		}
		paused = pause(got)
		m.Advance(scenario.Window+rotationGrace, got)
	}
}

// rotationGrace is how long the operator keeps an activation that was replaced.
const rotationGrace = 15 * time.Minute

// restsOrPauses returns the object when the operator waits for another time to
// pass than before, and nil when nothing is left to do.
func (m *mortal) restsOrPauses(ctx context.Context, obj *v1alpha1.HybridActivation, l life, before string) (*v1alpha1.HybridActivation, error) {
	pauses := func(ctx context.Context) (*v1alpha1.HybridActivation, error) {
		got, err := testenv.WaitFor(ctx, m.Client, obj, func(a *v1alpha1.HybridActivation) bool {
			now := pause(a)
			return (now != "" && now != before) || (!l.gone && l.rest(a))
		})
		if err != nil || (!l.gone && l.rest(got)) {
			return nil, err
		}
		return got, nil
	}
	if !l.gone {
		return pauses(ctx)
	}
	type outcome struct {
		got *v1alpha1.HybridActivation
		err error
	}
	first := make(chan outcome, 2)
	either, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		got, err := pauses(either)
		first <- outcome{got, err}
	}()
	go func() { first <- outcome{nil, testenv.WaitGone(either, m.Client, obj)} }()
	o := <-first
	return o.got, o.err
}

// pause is what the operator waits for; "" when it does not wait.
func pause(a *v1alpha1.HybridActivation) string {
	record := a.Status.Record
	switch {
	case record == nil:
		return ""
	case scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonSettling:
		return fmt.Sprintf("settling %v", record.Pending)
	case record.WithdrawnAt != nil:
		return fmt.Sprintf("withdrawn %v", record.WithdrawnAt)
	case record.Pending == nil && len(record.Previous) > 0:
		return fmt.Sprintf("previous %v", record.Previous)
	}
	return ""
}

// quiet reports whether a living object has all that it should, and nothing is open.
func quiet(from string) func(*v1alpha1.HybridActivation) bool {
	return func(a *v1alpha1.HybridActivation) bool {
		ready, record := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady), a.Status.Record
		return ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == a.Generation && a.Status.ActivationID != from &&
			record != nil && record.Pending == nil && len(record.Previous) == 0
	}
}

func TestAKillAtAnyStepLeavesOneActivationWhoseCodeIsStored(t *testing.T) {
	w := worldWithoutManager(t)
	w.Create(scenario.Account(scenario.AllowActivations()))
	w.Emulator.SetConsistency(awsemulator.Consistency{Activations: activationLag})
	m := &mortal{world: w}
	m.start()
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)

	made, from := 0, ""
	fresh := func() *v1alpha1.HybridActivation {
		made++
		return scenario.Activation(fmt.Sprint("sites-", made), func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	}
	living := func() *v1alpha1.HybridActivation {
		obj := fresh()
		w.Create(obj)
		if !m.comesToRest(obj, life{rest: quiet("")}) {
			t.Fatal("killed before anything was to be")
		}
		w.Must(w.Client.Get(t.Context(), scenario.KeyOf(obj), obj))
		from = obj.Status.ActivationID
		return obj
	}
	one := func(obj *v1alpha1.HybridActivation) {
		w.Must(w.Client.Get(t.Context(), scenario.KeyOf(obj), obj))
		w.holdsOne(obj)
		w.RegisterMachine(w.Secret(obj.Name))
		m.remove(obj)
	}
	m.killedEverywhere("create", life{begin: func(obj *v1alpha1.HybridActivation) { w.Create(obj) }, rest: quiet(""), check: one}, fresh)
	rotated := func(a *v1alpha1.HybridActivation) bool { return quiet(from)(a) }
	m.killedEverywhere("rotate in time", life{
		begin: func(obj *v1alpha1.HybridActivation) { w.Advance(23*time.Hour, obj) }, rest: rotated, check: one,
	}, living)
	m.killedEverywhere("rotate for a change", life{
		begin: func(obj *v1alpha1.HybridActivation) {
			scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.Tags = map[string]string{"Env": "prod"} })
		}, rest: rotated, check: one,
	}, living)
	m.killedEverywhere("delete", life{
		begin: func(obj *v1alpha1.HybridActivation) {
			w.RegisterMachine(w.Secret(obj.Name))
			w.Must(w.Client.Delete(t.Context(), obj))
		},
		gone: true,
		check: func(obj *v1alpha1.HybridActivation) {
			if left := w.Activations(); len(left) != 0 {
				t.Errorf("%d activations are left", len(left))
			}
			if err := w.Client.Get(t.Context(), scenario.KeyOf(secretObject(obj.Name)), secretObject(obj.Name)); !apierrors.IsNotFound(err) {
				t.Errorf("the Secret is left: %v", err)
			}
			if n := w.hybridNodes(); n != 0 {
				t.Errorf("%d nodes are left", n)
			}
		},
	}, living)
	t.Logf("killed %d times", m.kills)
}

// remove deletes an object, and waits until it is gone.
func (m *mortal) remove(obj *v1alpha1.HybridActivation) {
	m.T.Helper()
	m.Must(m.Client.Delete(m.T.Context(), obj))
	m.comesToRest(obj, life{gone: true})
}

// hybridNodes counts the nodes that are no EC2 instances.
func (w world) hybridNodes() int {
	n := 0
	for node := range w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Nodes().Values() {
		if node.Managed {
			n++
		}
	}
	return n
}
