package hybridactivation_test

import (
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The code in the Secret of the backup may have been read meanwhile, and no object owns the
// Secret: the operator does not touch it.
func TestAnActivationFromABackupWithoutStatusGetsItsNodesAndAnotherCode(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site, grant := scenario.Activation("site"), scenario.NewCompany().ToSite
	first := w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	node := w.RegisterMachine(w.Secret("site"))
	w.Must(m.Stop())
	saved, code := w.Backup(site), w.Secret("site")
	w.LoseObjects(site)
	w.Must(client.IgnoreNotFound(w.Client.Delete(t.Context(), secretObject("site"))))
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
	w.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: "site"}, Data: code.Data})
	site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, saved[0])
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitActivation(site, v1alpha1.ReasonSecretConflict)
	scenario.ExpectEqual(t, "the code in the Secret", string(w.Secret("site").Data["activation-id"]), first.Status.ActivationID)
	w.Must(w.Client.Delete(t.Context(), secretObject("site")))
	w.Touch(site)
	got := w.AwaitActivation(site, v1alpha1.ReasonActivated)
	scenario.ExpectEqual(t, "whose the status is", got.Status.UID, string(site.UID))
	if got.Status.ActivationID == first.Status.ActivationID {
		t.Error("the code of before the loss is in use again")
	}
	w.AwaitNodeTag(node, v1alpha1.TagActivation, string(site.UID))
	w.Eventually(func() bool { return w.MayOpen("user01", node) })
}

func TestAnOlderStatusOfAnActivationLosesNoNode(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site, grant := scenario.Activation("site"), scenario.NewCompany().ToSite
	first := w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	one := w.RegisterMachine(w.Secret("site"))
	w.Must(w.Client.Delete(t.Context(), w.Secret("site")))
	w.Touch(site)
	w.rotates(site, first.Status.ActivationID)
	other := w.RegisterMachine(w.Secret("site"))
	w.Must(m.Stop())
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(site), site))
	w.RestoreStatus(site, first)
	was, _ := w.Node(one)
	w.SetNodeTags(one, map[string]string{v1alpha1.TagObject: was.Tags[v1alpha1.TagObject]})
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitActivationThat(site, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.ActivationID != first.Status.ActivationID && scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonActivated
	})
	for _, node := range []string{one, other} {
		w.Eventually(func() bool { return w.MayOpen("user01", node) })
	}
}

func TestAnActivationOfTheSameNameElsewhereGetsNoNodes(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := scenario.NewCompany()
	w.Create(c.All()...)
	w.AwaitCompany(c)
	node := w.RegisterMachine(w.Secret("site"))
	w.LoseCompany(m, c)
	w.Must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "a"}))
	namesake, another := scenario.Activation("site"), scenario.Activation("other")
	namesake.Namespace = "team-b"
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Create(scenario.Account(scenario.AllowActivations()), namesake, another)
	w.AwaitActivation(namesake, v1alpha1.ReasonActivated)
	w.AwaitActivation(another, v1alpha1.ReasonActivated)
	n, _ := w.Node(node)
	scenario.ExpectEqual(t, "the tag of the node", n.Tags[v1alpha1.TagActivation], string(c.Site.UID))
}

func TestNodesThatStayAreNotThoseOfALaterObjectOfTheName(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	first := w.CreateActivation(scenario.Activation("site"), scenario.Account(scenario.AllowActivations()))
	node := w.RegisterMachine(w.Secret("site"))
	w.deleted(first)
	w.Advance(scenario.Window, first)
	w.Must(testenv.WaitGone(t.Context(), w.Client, first))
	later := scenario.Activation("site")
	w.Create(later)
	w.AwaitActivation(later, v1alpha1.ReasonActivated)
	n, _ := w.Node(node)
	scenario.ExpectEqual(t, "the tag of the node", n.Tags[v1alpha1.TagActivation], string(first.UID))
	scenario.ExpectEqual(t, "whose it is", n.Tags[v1alpha1.TagObject], "released")
}

func TestANodeThatCannotBeTaggedKeepsNoNodeOfARestore(t *testing.T) {
	for name, denied := range map[string]bool{"control": false, "denied": true} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			site := scenario.Activation("site")
			w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
			other := w.RegisterMachine(w.Secret("site"))
			w.Must(m.Stop())
			saved := w.Backup(site)
			w.LoseObjects(site)
			w.Must(client.IgnoreNotFound(w.Client.Delete(t.Context(), secretObject("site"))))
			w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
			site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, saved[0])
			m = w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			w.AwaitNodeTag(other, v1alpha1.TagActivation, string(site.UID))
			w.AwaitActivation(site, v1alpha1.ReasonActivated)
			one := w.RegisterMachine(w.Secret("site"))
			w.Must(m.Stop())
			was, _ := w.Node(other)
			object := was.Tags[v1alpha1.TagObject]
			w.SetNodeTags(one, nil)
			w.SetNodeTags(other, map[string]string{v1alpha1.TagObject: object})
			if denied {
				_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:AddTagsToResource", Parameter: one})
				w.Must(err)
			}
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			w.AwaitNodeTag(other, v1alpha1.TagActivation, string(site.UID))
		})
	}
}

// loses takes an object and its Secret away while no manager runs, and returns its backup.
func (w world) loses(m *testenv.Manager, site *v1alpha1.HybridActivation) client.Object {
	w.T.Helper()
	w.Must(m.Stop())
	saved := w.LoseObjects(site)
	w.Must(client.IgnoreNotFound(w.Client.Delete(w.T.Context(), secretObject(site.SecretName()))))
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, secretObject(site.SecretName())))
	return saved[0]
}

// The bound holds for the object of that name, and not for each of its lives.
func TestTheMachinesOfALostObjectCountAfterARestoreWithoutStatus(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(1))
	first := w.CreateActivation(site, scenario.Account(atMost(1)))
	node := w.RegisterMachine(w.Secret("site"))
	site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, w.loses(m, site))
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.letsInNobody(site, "at most 1 machine", "1 are")
	w.Advance(countWindow, site)
	w.letsInNobody(site, "at most 1 machine", "1 are")
	w.AwaitNodeTag(node, v1alpha1.TagActivation, string(site.UID))
	w.deregister(node)
	w.Advance(countWindow, site)
	w.holdsOne(w.rotates(site, first.Status.ActivationID))
}

// The code of the lost object may have been read: a machine can register with it until its
// activation is deleted, and shortly after.
func TestTheActivationOfALostObjectIsDeletedBeforeAnotherLetsMachinesIn(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(2))
	w.CreateActivation(site, scenario.Account(atMost(2)))
	code := w.Secret("site")
	saved := w.loses(m, site)
	w.RegisterMachine(code)
	var once sync.Once
	w.Emulator.OnCall(func(c calls.Call) {
		if c.Operation == "DeleteActivation" {
			once.Do(func() { w.RegisterMachine(code) })
		}
	})
	w.Manager(t, testenv.ManagerOptions{})
	site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, saved)
	w.AwaitActivationThat(site, func(a *v1alpha1.HybridActivation) bool {
		reason := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason
		return reason == v1alpha1.ReasonSettling || reason == v1alpha1.ReasonGuardrailViolated
	})
	w.Advance(countWindow, site)
	w.letsInNobody(site, "at most 2 machines", "2 are")
}

// A node that lost the tag of its object may be any lost object's.
func TestANodeOfAnUnknownObjectLetsNoMachineIn(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(1))
	w.CreateActivation(site, scenario.Account(atMost(1)))
	node := w.RegisterMachine(w.Secret("site"))
	saved := w.loses(m, site)
	was, _ := w.Node(node)
	w.SetNodeTags(node, map[string]string{v1alpha1.TagActivation: was.Tags[v1alpha1.TagActivation]})
	for id := range w.Activations() {
		w.deleteActivation(id)
	}
	site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, saved)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	got := w.AwaitActivation(site, v1alpha1.ReasonGuardrailViolated)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, node, v1alpha1.TagObject, "released", "deregister")
	if n := len(w.Activations()); n != 0 {
		t.Errorf("%d activations let machines in", n)
	}
	w.SetNodeTags(node, map[string]string{v1alpha1.TagActivation: was.Tags[v1alpha1.TagActivation], v1alpha1.TagObject: "released"})
	w.Advance(countWindow, site)
	w.holdsOne(w.AwaitActivation(site, v1alpha1.ReasonActivated))
}

// What is restored before its nodes are its own again is deleted with them.
func TestADeletedObjectLeavesNoNodeOfItsEarlierLife(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
	node := w.RegisterMachine(w.Secret("site"))
	site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, w.loses(m, site))
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:AddTagsToResource", Parameter: node})
	w.Must(err)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return w.HasFired(fault) })
	w.deleted(site)
	w.Eventually(func() bool {
		_, there := w.Node(node)
		return !there
	})
	w.Advance(scenario.Window, site)
	w.Must(testenv.WaitGone(t.Context(), w.Client, site))
}

// The Secret of the backup, or a role that is missing, keeps users from no node.
func TestWhatKeepsAnActivationFromBeingMadeKeepsNoNodeOfARestore(t *testing.T) {
	for name, hinder := range map[string]func(w world){
		"a Secret of the backup": func(w world) {
			w.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: "site"}})
		},
		"no right to create activations": func(w world) {
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:CreateActivation"})
			w.Must(err)
		},
		"no right to delete the earlier one": func(w world) {
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation"})
			w.Must(err)
		},
		"no right to list activations": func(w world) {
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeActivations"})
			w.Must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			site := scenario.Activation("site")
			w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
			node := w.RegisterMachine(w.Secret("site"))
			saved := w.loses(m, site)
			hinder(w)
			site = scenario.RestoreWithoutStatus[*v1alpha1.HybridActivation](w.World, saved)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			w.AwaitNodeTag(node, v1alpha1.TagActivation, string(site.UID))
			w.Must(client.IgnoreNotFound(w.Client.Delete(t.Context(), secretObject("site")))) // No object owns it.
		})
	}
}

// A backup may be of an object that was being deleted.
func TestAnObjectRestoredFromItsDeletionIsDeletedAsAnyOther(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site := scenario.Activation("site")
	got := w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
	w.Must(m.Stop())
	w.UpdateStatus(site, func() client.Object {
		got.ResourceVersion = site.ResourceVersion
		got.Status.Record.WithdrawnAt = new(metav1.NewTime(w.Clock.Now().Add(-time.Hour)))
		return got
	})
	w.Advance(time.Minute)
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitActivationThat(site, func(a *v1alpha1.HybridActivation) bool { return a.Status.Record.WithdrawnAt == nil })
	w.deleted(site)
	w.Advance(scenario.Window, site)
	w.Must(testenv.WaitGone(t.Context(), w.Client, site))
}
