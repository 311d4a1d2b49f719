package controllers_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// company is one object of each kind. All do something in AWS.
type company struct {
	account  *v1alpha1.AWSAccount
	tier     *v1alpha1.AccountTier
	site     *v1alpha1.HybridActivation
	document *v1alpha1.SessionDocument
	// toSite grants the nodes of the site, withDocument the use of the document.
	toSite, withDocument *v1alpha1.SessionAccess
}

func newCompany() company {
	c := company{
		account: account(allowActivations()), tier: accountTier(v1alpha1.TierAdvanced), site: activation("site"), document: sessionDocument(),
		toSite: access("user01-site", "user01"), withDocument: access("user02-document", "user02", pc02),
	}
	c.toSite.Spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}}
	c.withDocument.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	return c
}

func (c company) all() []client.Object {
	return []client.Object{c.account, c.tier, c.site, c.document, c.toSite, c.withDocument}
}

// works waits until everything that a company declares is in place.
func (w world) works(c company) {
	w.t.Helper()
	w.activationIs(c.site, v1alpha1.ReasonActivated)
	w.documentIs(c.document, v1alpha1.ReasonInPlace)
	w.tierIs(c.tier, v1alpha1.ReasonTierInForce)
	w.accessIs(c.toSite, v1alpha1.ReasonGranted)
	w.accessIs(c.withDocument, v1alpha1.ReasonGranted)
}

// loseCompany stops the operator and loses every object, and the Secret with the
// activation's code.
func (w world) loseCompany(m *testenv.Manager, c company) []client.Object {
	w.t.Helper()
	w.must(m.Stop())
	saved := w.vanish(c.all()...)
	w.must(client.IgnoreNotFound(w.Client.Delete(w.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "site"}})))
	return saved
}

func TestARestoreGivesBackEverythingInWhateverOrder(t *testing.T) {
	for name, c := range map[string]struct {
		status bool
		order  []int
	}{
		"from Git, accounts first":      {false, []int{0, 1, 2, 3, 4, 5}},
		"from Git, accesses first":      {false, []int{5, 4, 3, 2, 1, 0}},
		"with status, accounts first":   {true, []int{0, 1, 2, 3, 4, 5}},
		"with status, accesses first":   {true, []int{5, 4, 3, 2, 1, 0}},
		"with status, the site at last": {true, []int{0, 4, 5, 3, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			before := newCompany()
			w.create(before.all()...)
			w.works(before)
			node := w.register(w.secret("site"))
			saved := w.loseCompany(m, before)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			for _, i := range c.order {
				obj := restored[client.Object](w, saved[i], c.status)
				if main, ok := obj.(*v1alpha1.AWSAccount); ok {
					w.accountIs(main, v1alpha1.ReasonVerified)
					w.accountSays(main, v1alpha1.ConditionRestored)
				}
			}
			after := newCompany()
			for _, obj := range after.all() {
				w.must(w.Client.Get(t.Context(), keyOf(obj), obj))
			}
			w.nodeHas(node, v1alpha1.TagActivation, string(after.site.UID))
			w.until(func() bool {
				return w.may("user01", node) && w.inAWS(logged).Tags[uidTag] == string(after.document.UID)
			})
			if c.status {
				// The record grants nodes by the tag with the earlier UID, which ends.
				w.accessIs(after.toSite, v1alpha1.ReasonEndingSessions)
				w.advance(testWindow, after.toSite)
			}
			w.works(after)
			w.announced(after.document, v1alpha1.ReasonRestored)
			if !w.may("user01", node) || w.may("user02", node) {
				t.Errorf("on the node that had registered: user01 may = %v, user02 may = %v", w.may("user01", node), w.may("user02", node))
			}
			w.tierInAWS("advanced", "Customized")
			if n := w.tierWrites(); n != 1 {
				t.Errorf("the tier was written %d times", n)
			}
			if n := w.eventsOf(after.account, v1alpha1.ReasonOrphansRemoved); n != 0 {
				t.Error("a policy was removed before its SessionAccess was restored")
			}
		})
	}
}

func TestARestoredAccountWaitsAnHourForItsSessionAccessesAndNotForEver(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	orphans(w, 3)
	main := account()
	w.create(main)
	w.accountSays(main, v1alpha1.ConditionRestored)
	seen := w.LastCall()
	w.untilCall(seen, "GetAccountAuthorizationDetails")
	w.untilCall(w.LastCall(), "GetAccountAuthorizationDetails") // The resync before is over.
	if n := len(w.ourPolicies()); n != 3 {
		t.Fatalf("%d of 3 policies are left", n)
	}
	w.advance(accounts.RestoreWindow)
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
	_, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionRestored).Status == ""
	})
	w.must(err)
}

func TestAccessThatWasRevokedAfterTheBackupDoesNotComeBackWithoutAWord(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	revoked, kept := access("user01-pc01", "user01", pc01), access("user02-pc02", "user02", pc02)
	w.create(account(), revoked, kept)
	w.accessIs(revoked, v1alpha1.ReasonGranted)
	w.accessIs(kept, v1alpha1.ReasonGranted)
	saved := w.backup(revoked, kept)
	w.must(w.Client.Delete(t.Context(), revoked))
	w.accessIs(revoked, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, revoked)
	w.must(testenv.WaitGone(t.Context(), w.Client, revoked))
	w.grid(false, false, false, true)
	w.must(m.Stop())
	w.vanish(kept)

	revoked, kept = restored[*v1alpha1.SessionAccess](w, saved[0], true), restored[*v1alpha1.SessionAccess](w, saved[1], true)
	w.Manager(t, testenv.ManagerOptions{})
	w.announced(revoked, v1alpha1.ReasonRegranted)
	w.until(func() bool { return w.may("user01", pc01) })
	w.looked(kept)
	if n := w.eventsOf(kept, v1alpha1.ReasonRegranted); n != 0 {
		t.Errorf("%d events say that access is granted again which IAM held", n)
	}
	w.grid(true, false, false, true)
}

func TestAnOlderStatusOfTheSameObjectSaysWhatItGrantsAgain(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	old := w.backup(grant)[0].(*v1alpha1.SessionAccess)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01} })
	w.until(func() bool { return !w.may("user01", pc02) })
	w.must(m.Stop())

	// As etcd has it after a restore: the same UID, the spec and the status of then.
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec = old.Spec })
	old.Generation = grant.Generation
	for i := range old.Status.Conditions {
		old.Status.Conditions[i].ObservedGeneration = grant.Generation
	}
	w.putBackStatus(grant, old)
	w.Manager(t, testenv.ManagerOptions{})
	w.announced(grant, v1alpha1.ReasonRegranted)
	w.until(func() bool { return w.may("user01", pc02) })
}

func TestAnOlderStatusOfAnActivationLosesNoNode(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site, grant := activation("site"), newCompany().toSite
	first := w.activated(site, account(allowActivations()))
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	one := w.register(w.secret("site"))
	w.must(w.Client.Delete(t.Context(), w.secret("site")))
	w.touch(site)
	w.rotates(site, first.Status.ActivationID)
	other := w.register(w.secret("site"))
	w.must(m.Stop())
	w.must(w.Client.Get(t.Context(), keyOf(site), site))
	w.putBackStatus(site, first)
	w.Manager(t, testenv.ManagerOptions{})
	w.activationBecomes(site, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.ActivationID != first.Status.ActivationID && condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonActivated
	})
	for _, node := range []string{one, other} {
		if !w.may("user01", node) {
			t.Errorf("node %s is reached no more", node)
		}
	}
}

func TestAnActivationOfTheSameNameElsewhereGetsNoNodes(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := newCompany()
	w.create(c.all()...)
	w.works(c)
	node := w.register(w.secret("site"))
	w.loseCompany(m, c)
	w.must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "a"}))
	namesake, another := activation("site"), activation("other")
	namesake.Namespace = "team-b"
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.create(account(allowActivations()), namesake, another)
	w.activationIs(namesake, v1alpha1.ReasonActivated)
	w.activationIs(another, v1alpha1.ReasonActivated)
	n, _ := w.node(node)
	same(t, "the tag of the node", n.Tags[v1alpha1.TagActivation], string(c.site.UID))
}

func TestNodesThatStayAreNotThoseOfALaterObjectOfTheName(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	first := w.activated(activation("site"), account(allowActivations()))
	node := w.register(w.secret("site"))
	w.deleted(first)
	w.advance(testWindow, first)
	w.must(testenv.WaitGone(t.Context(), w.Client, first))
	later := activation("site")
	w.create(later)
	w.activationIs(later, v1alpha1.ReasonActivated)
	n, _ := w.node(node)
	same(t, "the tag of the node", n.Tags[v1alpha1.TagActivation], string(first.UID))
	same(t, "whose it is", n.Tags[v1alpha1.TagObject], "released")
}

func TestOfTwoAccountsNeitherIsUsedAfterARestoreThatSaysNothing(t *testing.T) {
	for _, order := range [][]string{{"main", "another"}, {"another", "main"}} {
		t.Run(order[0]+" first", func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			grant := access("user01-pc01", "user01", pc01)
			w.create(account(), grant)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			w.must(m.Stop())
			w.vanish(grant, account())
			w.Manager(t, testenv.ManagerOptions{})
			var all []*v1alpha1.AWSAccount
			for i, name := range order {
				all = append(all, account(func(a *v1alpha1.AWSAccount) { a.Name = name }))
				w.create(all[i])
				if i == 0 {
					w.accountSays(all[i], v1alpha1.ConditionRestored)
				}
			}
			for _, a := range all {
				w.accountIs(a, v1alpha1.ReasonConflict)
			}
			w.grid(true, false, false, false)
			w.must(w.Client.Delete(t.Context(), account(func(a *v1alpha1.AWSAccount) { a.Name = "another" })))
			w.accountIs(account(), v1alpha1.ReasonVerified)
		})
	}
}

func TestOfTwoAccountsTheOneThatWasInUseIsAfterARestoreWithStatus(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run([]string{"main", "another"}[order[0]]+" first", func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			grant, main := access("user01-pc01", "user01", pc01), account()
			another := account(func(a *v1alpha1.AWSAccount) { a.Name = "another" })
			w.create(main, grant)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			w.create(another)
			w.accountIs(another, v1alpha1.ReasonConflict)
			w.must(m.Stop())
			saved := w.vanish(main, another, grant)
			back := make([]*v1alpha1.AWSAccount, 2)
			for _, i := range order {
				back[i] = restored[*v1alpha1.AWSAccount](w, saved[i], true)
			}
			w.Manager(t, testenv.ManagerOptions{})
			grant = restored[*v1alpha1.SessionAccess](w, saved[2], false)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			w.accountIs(back[0], v1alpha1.ReasonVerified)
			w.accountIs(back[1], v1alpha1.ReasonConflict)
		})
	}
}

func TestADocumentGoesBackToTheObjectThatHadItInWhateverOrder(t *testing.T) {
	for name, c := range map[string]struct {
		status bool
		order  []int
	}{
		"from Git, the right one first":    {false, []int{0, 1}},
		"from Git, the other first":        {false, []int{1, 0}},
		"with status, the right one first": {true, []int{0, 1}},
		"with status, the other first":     {true, []int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			// Of two of one second, the name would have the other one win.
			right, other := sessionDocument(), sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
			other.Name = "another"
			w.create(account(), right)
			w.documentIs(right, v1alpha1.ReasonInPlace)
			w.create(other)
			w.documentIs(other, v1alpha1.ReasonConflict)
			w.must(m.Stop())
			saved := w.vanish(right, other)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			back := make([]*v1alpha1.SessionDocument, 2)
			for _, i := range c.order {
				back[i] = restored[*v1alpha1.SessionDocument](w, saved[i], c.status)
				w.judgedDocument(back[i])
			}
			w.until(func() bool { return w.inAWS(logged).Tags[uidTag] == string(back[0].UID) })
			w.documentIs(back[0], v1alpha1.ReasonInPlace)
			got := w.documentIs(back[1], v1alpha1.ReasonConflict)
			w.sentence(readyOf(got).Message, "team-a/logged", logged)
			same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
			same(t, "whose it is", w.inAWS(logged).Tags[uidTag], string(back[0].UID))
		})
	}
}

// mayAdoptAnyName lets documents have any name, so that adopt can be left out.
var mayAdoptAnyName = allowing(v1alpha1.DocumentRule{Adopt: []v1alpha1.NamePattern{"SSM-*"}})

func TestARestoredDocumentThatWasAdoptedIsPutBackAsItWas(t *testing.T) {
	w := worldOfDocuments(t, foreign(preferences, "first"))
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := sessionDocument(adopting)
	w.create(account(mayAdoptAnyName), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(m.Stop())
	saved := w.vanish(doc)
	w.Manager(t, testenv.ManagerOptions{})
	saved[0].(*v1alpha1.SessionDocument).Spec.Adopt = false
	doc = restored[*v1alpha1.SessionDocument](w, saved[0], false)
	got := w.documentIs(doc, v1alpha1.ReasonInPlace)
	if adopted := got.Status.Regions[0].Adopted; adopted == nil || adopted.DefaultVersion != 1 {
		t.Errorf("what was there before is recorded as %+v", adopted)
	}
	w.deleteAndWait(doc)
	w.isAsBefore()
}

func TestADocumentOfAnObjectThatIsGoneIsNotAdoptedByAnother(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = preferences })
	w.create(account(mayAdoptAnyName), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(m.Stop())
	w.vanish(doc)
	w.Manager(t, testenv.ManagerOptions{})
	other := sessionDocument(adopting)
	other.Name = "another"
	w.create(other)
	got := w.documentIs(other, v1alpha1.ReasonConflict)
	w.sentence(readyOf(got).Message, "team-a/logged", preferences, v1alpha1.TagObject)
	same(t, "whose it is", w.inAWS(preferences).Tags[uidTag], string(doc.UID))
	// Who takes the tags off says that the object does not come back.
	w.removeOurTags(preferences)
	w.touch(other)
	w.documentIs(other, v1alpha1.ReasonInPlace)
}

func TestADocumentOfAnEarlierVersionIsKnownByItsRecord(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(m.Stop())
	saved := w.vanish(doc)
	w.removeTags(logged, v1alpha1.TagObject)
	doc = restored[*v1alpha1.SessionDocument](w, saved[0], true)
	w.Manager(t, testenv.ManagerOptions{})
	w.until(func() bool { return w.inAWS(logged).Tags[uidTag] == string(doc.UID) })
}

func TestAnAccountTierThatChangesNothingHasTheRegionInWhateverOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run([]string{"the right one", "the other"}[order[0]]+" first", func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			right := accountTier(v1alpha1.TierAdvanced)
			other := accountTier(v1alpha1.TierStandard, func(t *v1alpha1.AccountTier) { t.Name = "another" })
			grant, main := access("user01-pc01", "user01", pc01), account()
			w.create(main, grant, right)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			w.tierIs(right, v1alpha1.ReasonTierInForce)
			w.must(m.Stop())
			saved := w.vanish(right, main, grant)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			main = restored[*v1alpha1.AWSAccount](w, saved[1], false)
			w.accountSays(main, v1alpha1.ConditionRestored)
			// Of two of one second, the name would have the other one win.
			git, back := []client.Object{saved[0], other}, make([]*v1alpha1.AccountTier, 2)
			for _, i := range order {
				back[i] = restored[*v1alpha1.AccountTier](w, git[i], false)
				reasons := []string{v1alpha1.ReasonTierInForce, v1alpha1.ReasonTierNeeded, v1alpha1.ReasonConflict}
				_, err := testenv.WaitFor(t.Context(), w.Client, back[i], func(a *v1alpha1.AccountTier) bool {
					return slices.Contains(reasons, condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason)
				})
				w.must(err)
			}
			w.tierIs(back[0], v1alpha1.ReasonTierInForce)
			w.tierIs(back[1], v1alpha1.ReasonConflict)
			w.tierInAWS("advanced", "Customized")
			if n := w.tierWrites(); n != 1 {
				t.Errorf("the tier was written %d times", n)
			}
		})
	}
}
