package sessionaccess_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What is granted is recorded in the object before AWS is called. An object holds
// 1.5 MiB. A narrowing must not wait for room in it.

// tagged is a guardrail that the nodes of the fixture do not meet.
func tagged(a *v1alpha1.AWSAccount) {
	a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
		Name: "tagged", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Cleared": "yes"},
	})
}

func TestTheAPIServerRejectsSpecsWhoseRecordWouldNotFit(t *testing.T) {
	w := worldWithoutManager(t)
	grant := func(edit func(*v1alpha1.SessionAccessSpec)) *v1alpha1.SessionAccess {
		a := scenario.Access("large", "user01", scenario.PC01)
		edit(&a.Spec)
		return a
	}
	for name, c := range map[string]struct {
		object client.Object
		says   string // empty: it is accepted
	}{
		"more tags than any policy holds": {grant(func(s *v1alpha1.SessionAccessSpec) { s.Targets = scenario.WordyTags(20, 50, "漢") }), "16384 characters"},
		"all tags that a node may have":   {grant(func(s *v1alpha1.SessionAccessSpec) { s.Targets = scenario.WordyTags(1, 43, "漢") }), ""},
		"more ids than any policy holds":  {scenario.ProbeOf("SessionAccess"), "2000 instance ids"},
		"2000 ids": {grant(func(s *v1alpha1.SessionAccessSpec) {
			s.Targets = nil
			for part := range slices.Chunk(scenario.ManyIDs(2000), 300) {
				s.Targets = append(s.Targets, v1alpha1.Target{InstanceIDs: part})
			}
		}), ""},
		"more documents in more regions": {grant(func(s *v1alpha1.SessionAccessSpec) {
			s.Documents = nil
			for i := range 20 {
				s.Documents = append(s.Documents, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: fmt.Sprint("doc-", i)}})
			}
			for i := range 11 {
				s.Regions = append(s.Regions, v1alpha1.Region(fmt.Sprintf("eu-west-%d", i+1)))
			}
		}), "at most 200"},
		"more patterns than a record should hold": {scenario.ProbeOf("AWSAccount"), "32768 characters"},
		"more required tags than a record should hold": {scenario.Account(func(a *v1alpha1.AWSAccount) {
			for i := range 12 {
				a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
					Name: fmt.Sprint("tags-", i), NamespaceSelector: &metav1.LabelSelector{},
					RequiredTags: map[string]string{fmt.Sprint("k", i): strings.Repeat("x", 200), fmt.Sprint("l", i): strings.Repeat("x", 200)},
				})
			}
		}), "4096 characters"},
		"more values than a document holds": {scenario.ProbeOf("SessionDocument"), "65536 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.Client.Create(t.Context(), c.object, client.DryRunAll)
			switch {
			case c.says == "" && err != nil:
				t.Errorf("the API server answers %.300v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("the API server answers %.300v, want it to say %q", err, c.says)
			}
		})
	}
}

// Three documents with a key of its own in each of eight regions are 24 documents
// of the record.
func TestTheRecordHoldsEveryKeyOfADocument(t *testing.T) {
	var regions []v1alpha1.Region
	f := fixtures.S1()
	if f.Accounts[0].Regions == nil {
		f.Accounts[0].Regions = map[string]fixtures.Region{}
	}
	for i, name := range []string{scenario.Region, "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2"} {
		regions = append(regions, v1alpha1.Region(name))
		at := f.Accounts[0].Regions[name]
		at.Keys = append(at.Keys, fixtures.Key{ID: fmt.Sprintf("0000000%d-1111-2222-3333-444444444444", i), Aliases: []string{"alias/sessions"}})
		f.Accounts[0].Regions[name] = at
	}
	w := worldOf(t, testenv.Options{Fixture: f})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = regions }, scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}}))
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	var refs []v1alpha1.DocumentReference
	for i := range 3 {
		doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) {
			s.Name, s.Regions, s.Inputs.KMSKeyID = fmt.Sprintf("Doc-%d", i), regions, new("alias/sessions")
		})
		doc.Name = fmt.Sprintf("doc-%d", i)
		w.Create(doc)
		w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
		refs = append(refs, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: doc.Name}})
	}
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Documents = refs
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC02}}}
	})
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil && len(a.Status.Applied.Granted.Documents) == 24
	})
	w.Must(err)
	scenario.ExpectEqual(t, "the former grants", len(got.Status.Applied.Revoking), 1)
	scenario.Change(w.World, main, tagged)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
}

// grow adds to the metadata of an object. It reports whether the API server takes
// it; what it does not take must count as rejected.
func (w world) grow(obj client.Object, part string, values map[string]string) bool {
	w.T.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{part: values}})
	w.Must(err)
	err = w.Client.Patch(w.T.Context(), obj, client.RawPatch(types.MergePatchType, patch))
	if err != nil && !reconcile.Rejected(err) {
		w.T.Fatalf("an object without room is answered with %.300v, which does not count as rejected", err)
	}
	return err == nil
}

// labelled are labels of 75 bytes each, from a number on.
func labelled(from, n int) map[string]string {
	labels := make(map[string]string, n)
	for i := range n {
		labels[fmt.Sprintf("l%05d", from+i)] = strings.Repeat("x", 63)
	}
	return labels
}

// pad makes an object so large that a wider record does not fit, and a narrower
// one does.
func (w world) pad(obj client.Object) {
	w.T.Helper()
	if !w.grow(obj, "annotations", map[string]string{"test/fill": strings.Repeat("x", 250<<10)}) || !w.grow(obj, "labels", labelled(0, 14_500)) {
		w.T.Fatal("the object does not take 1.3 MiB")
	}
}

// fill adds labels and annotations to an object until the API server takes no
// more.
func (w world) fill(obj client.Object) {
	w.T.Helper()
	labels, full := 0, false
	for n := 16384; n > 0; n /= 2 {
		if w.grow(obj, "labels", labelled(labels, n)) {
			labels += n
		} else {
			full = true
		}
	}
	if !full {
		w.T.Fatalf("the object takes %d labels", labels)
	}
	size := 0
	for n := 256; n > 0; n /= 2 {
		if w.grow(obj, "annotations", map[string]string{"test/fill": strings.Repeat("x", size+n)}) {
			size += n
		}
	}
}

// empty removes what fill added.
func (w world) empty(obj client.Object) {
	w.T.Helper()
	w.Must(w.Client.Patch(w.T.Context(), obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":null,"annotations":{"test/fill":null}}}`))))
}

func TestANarrowingOfAnObjectWithoutRoomTakesEffect(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main, grant := scenario.Account(), scenario.Access("g", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitNodesChecked(grant)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.fill(grant)
	scenario.Change(w.World, main, tagged)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.AwaitSessionEnd(session)
	got := w.AwaitAccess(grant, v1alpha1.ReasonRecordTooLarge)
	if scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Status != metav1.ConditionTrue {
		t.Errorf("it is not Stalled: %+v", got.Status.Conditions)
	}
	w.empty(grant)
	w.SetNodeTags(scenario.PC01, map[string]string{"Cleared": "yes"})
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
}

func TestWhatASpecAddsWaitsForRoomAndWhatItRemovesDoesNot(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitNodesChecked(grant)
	w.pad(grant)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}, {Kind: v1alpha1.PrincipalUser, Name: "user02"}}
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC02}}}
	})
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	got := w.AwaitAccess(grant, v1alpha1.ReasonRecordTooLarge)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "KiB", "declare several SessionAccesses")
	w.ExpectAccess(false, true, false, false) // What both specs allow stays.
	w.empty(grant)
	w.Eventually(func() bool { return w.MayOpen("user02", scenario.PC02) })
	w.ExpectAccess(false, true, false, true)
}

func TestEveryEditTakesEffectWhileRevocationsAccumulate(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main, grant := scenario.Account(), scenario.Access("g", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.Must(err)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	for i := range 70 {
		node := fmt.Sprintf("i-%017x", i)
		scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
			a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{v1alpha1.InstanceID(node)}}}
		})
		got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
			return a.Status.Applied != nil && a.Status.Applied.Generation == a.Generation
		})
		w.Must(err)
		if revoking := len(got.Status.Applied.Revoking); revoking > 8 {
			t.Fatalf("%d former grants after %d edits", revoking, i+1)
		}
	}
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC02}}}
	})
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC02) })
	scenario.Change(w.World, main, tagged)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
	w.Emulator.RemoveFault(fault)
	w.Advance(scenario.Window, grant)
	w.AwaitSessionEnd(session)
}

func TestADocumentWhoseRecordIsFullIsStillUnshared(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})), doc)
	doc = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the shares", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 1)
	w.Must(m.Stop())
	before := doc.DeepCopy()
	doc.Status.TagKeys = scenario.Wordy(400, 20) // Of edits while AWS was out of reach.
	w.Must(w.Client.Status().Patch(t.Context(), doc, client.MergeFrom(before)))
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.SharedWith = nil
		d.Spec.Tags = map[string]string{"cost": "1"}
	})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return len(w.DocumentInAWS(scenario.LoggedDocument).Shares) == 0 })
	got := w.AwaitDocument(doc, v1alpha1.ReasonRecordTooLarge)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "Use fewer tags")
	scenario.ExpectEqual(t, "what must be remembered", len(got.Status.TagKeys), 400)
}
