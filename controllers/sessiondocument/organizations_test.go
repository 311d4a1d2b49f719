package sessiondocument_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// allowOrganization is a guardrail that lets documents be shared within the organization.
var allowOrganization = scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Organization, scenario.Sharee}})

func sharedWith(targets ...v1alpha1.ShareTarget) func(*v1alpha1.SessionDocumentSpec) {
	return func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = targets }
}

// organizations are those that RAM shares a document with.
func (w world) organizations(document string) []string {
	return w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Shares.SharedWith(
		"arn:aws:ssm:" + scenario.Region + ":" + scenario.AccountID + ":document/" + document)
}

// resourceShares are the names of the resource shares.
func (w world) resourceShares() []string {
	return w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Shares.Names()
}

func (w world) adminRAM() *ram.Client { return ram.NewFromConfig(w.AWSConfig(w.Credentials("admin"))) }

// theShare is the ARN of the only resource share.
func (w world) theShare() *string {
	w.T.Helper()
	out, err := w.adminRAM().GetResourceShares(w.T.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareStatus: ramtypes.ResourceShareStatusActive})
	w.Must(err)
	if len(out.ResourceShares) != 1 {
		w.T.Fatalf("there are %d resource shares", len(out.ResourceShares))
	}
	return out.ResourceShares[0].ResourceShareArn
}

func TestADocumentIsSharedWithAnOrganizationAndTakenBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(sharedWith(scenario.Organization, scenario.Unit, scenario.Sharee))
	w.Create(scenario.Account(allowOrganization), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whom it is shared with", w.organizations(scenario.LoggedDocument), []string{scenario.Organization, scenario.Unit})
	if !w.IsSharedIn(scenario.Region) {
		t.Error("it is not shared with the account")
	}

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { sharedWith(scenario.Unit)(&d.Spec) })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whom it is shared with", w.organizations(scenario.LoggedDocument), []string{scenario.Unit})
	if w.IsSharedIn(scenario.Region) {
		t.Error("it is still shared with the account")
	}

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = nil })
	w.Eventually(func() bool { return len(w.resourceShares()) == 0 })
	w.Advance(scenario.Window, doc) // A share that was just made may not show yet.
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whom it is shared with", len(w.organizations(scenario.LoggedDocument)), 0)
	if got.Status.Regions[0].ResourceShare != nil {
		t.Error("the record still names a resource share")
	}
	if _, tagged := w.DocumentInAWS(scenario.LoggedDocument).Tags[v1alpha1.TagShared]; tagged {
		t.Error("the document still carries the tag")
	}
}

func TestDriftOfAResourceShareIsRepaired(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(sharedWith(scenario.Organization))
	w.Create(scenario.Account(allowOrganization), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	const other = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-99999999"
	for name, change := range map[string]func(share *string) error{
		"another unit": func(share *string) error {
			_, err := w.adminRAM().AssociateResourceShare(t.Context(), &ram.AssociateResourceShareInput{ResourceShareArn: share, Principals: []string{other}})
			return err
		},
		"not the organization": func(share *string) error {
			_, err := w.adminRAM().DisassociateResourceShare(t.Context(), &ram.DisassociateResourceShareInput{ResourceShareArn: share, Principals: []string{scenario.Organization}})
			return err
		},
		"no resource share": func(share *string) error {
			_, err := w.adminRAM().DeleteResourceShare(t.Context(), &ram.DeleteResourceShareInput{ResourceShareArn: share})
			return err
		},
	} {
		w.Must(change(w.theShare()))
		w.Emulator.Advance(2 * time.Hour) // The operator reads shares once an hour.
		w.Eventually(func() bool {
			with := w.organizations(scenario.LoggedDocument)
			return len(with) == 1 && with[0] == scenario.Organization
		})
		if t.Failed() {
			t.Fatal(name)
		}
	}
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
}

func TestAnOrganizationNeedsAGuardrailThatNamesIt(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(sharedWith(scenario.Unit))
	main := scenario.Account(scenario.AllowSharing)
	w.Create(main, doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.Unit, scenario.Sharee, "sessionDocuments.shareWith")
	scenario.Change(w.World, main, allowOrganization)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = a.Spec.Guardrails[1:] })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whom it is shared with", w.organizations(scenario.LoggedDocument), []string{scenario.Unit})
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	w.Eventually(func() bool { return len(w.organizations(scenario.LoggedDocument)) == 0 })
}

func TestWhatRAMCannotShareIsReported(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	shares := w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Shares
	shares.FailAssociations(scenario.Organization, "Sharing with the organization is not enabled.")
	doc := scenario.SessionDocument(sharedWith(scenario.Organization))
	w.Create(scenario.Account(allowOrganization), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonShareFailed)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.Organization, "Sharing with the organization is not enabled.", "sharedWith")
	shares.FailAssociations(scenario.Organization, "")
	w.Advance(10*time.Minute, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whom it is shared with", w.organizations(scenario.LoggedDocument), []string{scenario.Organization})
}

func TestTheOperatorWaitsForRAM(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Emulator.SetSharingTime(time.Hour)
	doc := scenario.SessionDocument(sharedWith(scenario.Organization))
	w.Create(scenario.Account(allowOrganization), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonApplying)
	w.Eventually(func() bool { return len(w.resourceShares()) == 1 })
	w.Advance(time.Hour, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(w.Client.Delete(t.Context(), doc))
	w.AwaitDocument(doc, v1alpha1.ReasonCleaningUp)
	w.Eventually(func() bool { return len(w.resourceShares()) == 0 })
	if w.DocumentInAWS(scenario.LoggedDocument) == nil {
		t.Error("the document is gone, and RAM still shares it")
	}
	w.Advance(time.Hour, doc)
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestAnOperatorThatDiesWhileItSharesWithAnOrganizationLosesNothing(t *testing.T) {
	for _, operation := range []string{"CreateResourceShare", "DeleteResourceShare"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			w.Create(scenario.Account(allowOrganization))
			w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
			doc := scenario.SessionDocument(sharedWith(scenario.Organization))
			remove := func() { w.Must(w.Client.Delete(t.Context(), doc)) }
			if operation == "CreateResourceShare" {
				w.dieAt(m, operation, func() { w.Create(doc) })
				w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
				scenario.ExpectEqual(t, "the number of resource shares", len(w.resourceShares()), 1)
				remove()
			} else {
				w.Create(doc)
				w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
				w.dieAt(m, operation, remove)
			}
			w.Advance(scenario.Window, doc)
			w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
			w.goneFromAWS(scenario.LoggedDocument)
			scenario.ExpectEqual(t, "the number of resource shares", len(w.resourceShares()), 0)
		})
	}
}

func TestTheResourceShareOfARestoredDocumentIsTakenBack(t *testing.T) {
	for name, declared := range map[string]bool{"declared as before": true, "no longer declared": false} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			doc := scenario.SessionDocument(sharedWith(scenario.Organization))
			w.Create(scenario.Account(allowOrganization), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			w.Must(m.Stop())
			saved := w.LoseObjects(doc)
			if !declared {
				saved[0].(*v1alpha1.SessionDocument).Spec.SharedWith = nil
			}
			doc = scenario.RestoreWithoutStatus[*v1alpha1.SessionDocument](w.World, saved[0])
			w.Manager(t, testenv.ManagerOptions{})
			if !declared {
				w.Eventually(func() bool { return len(w.resourceShares()) == 0 })
				w.Advance(scenario.Window, doc)
			}
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			want := 0
			if declared {
				want = 1
			}
			scenario.ExpectEqual(t, "the number of resource shares", len(w.resourceShares()), want)
			scenario.ExpectEqual(t, "the number of organizations", len(w.organizations(scenario.LoggedDocument)), want)
		})
	}
}

// The former version is gone, so the document cannot be restored: its shares must not wait
// for that.
func TestSharesEndAlthoughTheFormerVersionCannotBeRestored(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first"))
	doc := scenario.SessionDocument(adopting, sharedWith(scenario.Sharee, scenario.Organization))
	w.Create(scenario.Account(mayAdopt, allowOrganization), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	_, err := w.AdminSSM().DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: aws.String(preferences), DocumentVersion: aws.String("1")})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), doc))
	w.Eventually(func() bool { return len(w.resourceShares()) == 0 })
	w.Advance(scenario.Window, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonCannotRestore)
	scenario.ExpectEqual(t, "the number of shares", len(w.DocumentInAWS(preferences).Shares), 0)
	scenario.ExpectEqual(t, "the number of organizations", len(w.organizations(preferences)), 0)
}

func TestSharesEndAlthoughThePromotionIsRefused(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first"))
	doc := scenario.SessionDocument(adopting, scenario.SharedWithSharee)
	w.Create(scenario.Account(mayAdopt, scenario.AllowSharing), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:UpdateDocumentDefaultVersion"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), doc))
	w.AwaitDocument(doc, v1alpha1.ReasonAccessDenied)
	scenario.ExpectEqual(t, "the number of shares", len(w.DocumentInAWS(preferences).Shares), 0)
}
