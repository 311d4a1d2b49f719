package principal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// work is the inputs of one reconcile of one principal.
type work struct {
	*Reconciler
	account accounts.Entry
	key     grants.PrincipalKey
	claims  claims
	turn    turn
	// lookUp: see find.
	lookUp bool
	// accesses are the objects that name the principal.
	accesses []v1alpha1.SessionAccess

	view iam.PrincipalView
	held map[int]iam.PolicyView
	// complete: no policy of this principal exists beyond those held, proven.
	complete bool
	// disappeared are the grants that were made for another principal of the name.
	disappeared map[types.UID]problem
	// contended are policies of this principal that something else keeps changing.
	contended []string
	// unproven are the policies that keep a revocation from being proven.
	unproven []iam.PolicyView
}

// run gathers, decides, writes and reports. The outcome is nil where it would contain
// nothing new.
func (w *work) run(ctx context.Context) (*grants.Outcome, error) {
	unread := w.find(ctx)
	if w.lookUp && w.turn == grantTurn {
		return nil, nil
	}
	if unread == nil {
		unread = w.prove(ctx)
	}
	// What takes access away waits for no read. Nothing is given meanwhile.
	if unread != nil && (w.turn != revocationTurn || awserr.Classify(unread) == awserr.Canceled || w.account.Mode == v1alpha1.ModeObserve) {
		return w.failed(ctx, unread), quiet(unread)
	}
	w.readHeld()
	w.identify()
	plan, problems := w.compile()
	steps := stepsFor(w.situation(plan))
	if w.account.Mode == v1alpha1.ModeObserve {
		return w.observed(ctx, steps, problems), nil
	}
	w.contended = w.Contention.OfPrefix(w.account.AccountID, policy.Prefix(w.OwnerID, w.compiled()))
	w.announceRegranted(steps)
	done := execute(ctx, w.account.IAM, steps, unread != nil || len(w.contended) > 0, w.describe)
	if unread != nil {
		done.unread(unread, w.proven(plan))
	}
	w.leaveVersions(plan)
	if slices.ContainsFunc(steps, func(s step) bool { return s.action == createPolicy || s.action == deletePolicy }) {
		w.PoliciesChanged(w.account.Name)
	}
	result := w.outcome(ctx, plan, problems, done)
	return result, quiet(done.err)
}

// readHeld takes from the IAM cache what IAM holds of this principal's policies.
func (w *work) readHeld() {
	views, complete := w.account.IAM.Cache().PoliciesWithPrefix(policy.Prefix(w.OwnerID, w.compiled()))
	w.complete = complete
	w.held = make(map[int]iam.PolicyView, len(views))
	for _, view := range views {
		if parsed, ok := policy.ParseName(view.Name); ok {
			w.held[parsed.Shard] = view
		}
	}
}

func (w *work) compiled() policy.Principal {
	return policy.Principal{Kind: policy.Kind(w.key.Kind), Name: w.claims.name}
}

// compile makes the documents. A principal that does not exist is granted
// nothing: no policy can be attached to it.
func (w *work) compile() (policy.Plan, map[types.UID]problem) {
	detached := w.detached()
	grants := slices.DeleteFunc(slices.Clone(w.claims.grants), func(g policy.Grant) bool {
		_, disappeared := w.disappeared[types.UID(g.ID)]
		return disappeared || g.HeldOnly && detached
	})
	problems := maps.Clone(w.claims.refused)
	maps.Copy(problems, w.disappeared)
	if w.view.Presence == iam.Absent {
		for _, g := range grants {
			problems[types.UID(g.ID)] = notFound(w.key.Kind, w.claims.name, w.key.AccountID)
		}
		grants = nil
	}
	plan, err := policy.Fit(policy.Account{ID: w.account.AccountID, Partition: w.account.Partition},
		w.compiled(), grants, w.heldDocuments(), w.quotas(), w.Clock.Now())
	maps.Copy(problems, compileProblems(err, plan.Incomplete))
	w.claims.dropImpossible(problems)
	return plan, problems
}

// detached reports whether a policy that the principal has is not attached to it, so
// that what it holds gives no access now.
func (w *work) detached() bool {
	p := principalOf(w.key, cmp.Or(w.view.Name, w.claims.name))
	if p == nil {
		return false
	}
	for _, view := range w.held {
		if attached, _ := view.Attachment(*p); view.Presence == iam.Present && attached != iam.Present {
			return true
		}
	}
	return false
}

func (w *work) heldDocuments() []string {
	shards := sortedShards(w.held)
	if len(shards) == 0 {
		return nil
	}
	documents := make([]string, shards[len(shards)-1])
	for shard, view := range w.held {
		if view.Presence == iam.Present && view.Document != policy.Nothing {
			documents[shard-1] = view.Document
		}
	}
	return documents
}

// quotas bounds what may be written: by the principal's attachments, and by the
// account's number of policies.
func (w *work) quotas() policy.Quotas {
	q := w.account.Quotas
	ours := 0
	for _, view := range w.held {
		if view.Presence == iam.Present {
			ours++
		}
	}
	allowed := max(0, q.Policies-w.account.IAM.Cache().PolicyCount()) + ours
	switch w.key.Kind {
	case v1alpha1.PrincipalUser:
		allowed = min(allowed, q.AttachedPoliciesPerUser-w.view.ForeignAttachments)
	case v1alpha1.PrincipalGroup:
		allowed = min(allowed, q.AttachedPoliciesPerGroup-w.view.ForeignAttachments)
	case v1alpha1.PrincipalRole:
		allowed = min(allowed, q.AttachedPoliciesPerRole-w.view.ForeignAttachments)
	case v1alpha1.PrincipalPermissionSet:
		// Identity Center attaches by itself, and has a quota of its own.
	}
	return policy.Quotas{PolicySize: q.PolicySize, Policies: max(0, allowed)}
}

func (w *work) situation(plan policy.Plan) situation {
	name := w.view.Name
	if name == "" {
		name = w.claims.name
	}
	return situation{
		name:     w.policyName,
		held:     w.held,
		complete: w.complete,
		plan:     plan,
		attachTo: principalOf(w.key, name),
		// In mode Observe nothing is deleted again for want of proof.
		revoking: w.claims.revoking && w.account.Mode != v1alpha1.ModeObserve,
	}
}

func (w *work) policyName(shard int) string { return policy.Name(w.OwnerID, w.compiled(), shard) }

// describe completes a policy to create. IAM cannot change a description later, so it
// contains only what stays true.
func (w *work) describe(s step) iam.NewPolicy {
	return iam.NewPolicy{
		Name:        s.policy,
		Document:    s.document,
		Description: fmt.Sprintf("Session Manager access of %s %s, kept by ssm-access-operator %s.", strings.ToLower(string(w.key.Kind)), w.claims.name, w.OwnerID),
		Tags: map[string]string{
			v1alpha1.TagPrefix + "owner":          w.OwnerID,
			v1alpha1.TagPrefix + "principal-kind": string(w.key.Kind),
		},
	}
}

// quiet keeps an error to retry with backoff. It drops an error that stays until a user
// acts or the next resync runs.
func quiet(err error) error {
	switch awserr.Classify(err) {
	case awserr.None, awserr.Refused, awserr.Invalid, awserr.Missing:
		return nil
	default:
		return err
	}
}

// recordedID is the unique id that a principal had when it was granted; "" when
// the record has none.
func recordedID(grant *v1alpha1.ResolvedGrant, key grants.PrincipalKey) string {
	for _, id := range grant.PrincipalIDs {
		if grants.PrincipalKeyOf(grant.AccountID, v1alpha1.Principal{Kind: id.Kind, Name: id.Name}) == key {
			return id.ID
		}
	}
	return ""
}

// identify finds the grants that were made for a principal that is not under its
// name any more. Permission sets have no id.
func (w *work) identify() {
	w.disappeared = map[types.UID]problem{}
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		return
	}
	for _, g := range w.claims.grants {
		uid := types.UID(g.ID)
		recorded := w.claims.ids[uid]
		if recorded == "" || recorded == w.view.ID || (w.view.Presence != iam.Absent && w.view.ID == "") {
			continue
		}
		found := disappearance{
			kind: w.key.Kind, name: w.claims.name, recorded: recorded, present: w.view.ID,
			renamed: w.account.IAM.Cache().NameOf(p.Kind, recorded), account: w.account.Name,
		}
		if problem, gone := found.judge(w.account.RecreatedPrincipals); gone {
			w.disappeared[uid] = problem
		}
	}
}

// disappearance is what IAM holds in place of a principal that was granted.
type disappearance struct {
	kind v1alpha1.PrincipalKind
	name string
	// recorded is the id of the principal that was granted, present that of the one
	// under its name now: "" when there is none.
	recorded, present string
	// renamed is the name that the granted principal has now: "" when it was deleted.
	renamed string
	// account is the name of the AWSAccount.
	account string
}

// judge decides whether the grant is for another principal than the one that IAM
// has under the name now. A deleted one may be replaced where the account says
// so. A renamed one still exists: the principal under its name is another.
func (d disappearance) judge(recreated v1alpha1.RecreatedPrincipals) (problem, bool) {
	if d.present != "" && d.renamed == "" && recreated == v1alpha1.RecreatedGrant {
		return problem{}, false
	}
	kind := strings.ToLower(string(d.kind))
	fate := fmt.Sprintf("The %s %q with the id %s, which had this access, was deleted from IAM", kind, d.name, d.recorded)
	if d.renamed != "" {
		fate = fmt.Sprintf("The %s %q with the id %s, which had this access, was renamed to %q in IAM", kind, d.name, d.recorded, d.renamed)
	}
	fate += "; its policies are removed and its sessions ended."
	const confirm = "remove the principal from this SessionAccess, wait until status.applied does not name it, and add it again"
	if d.present == "" {
		text := fmt.Sprintf("%s Remove it from this SessionAccess.", fate)
		if d.renamed != "" {
			text = fmt.Sprintf("%s To grant the access under the new name, name %q in this SessionAccess.", fate, d.renamed)
		}
		return problem{v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound, text}, true
	}
	text := fmt.Sprintf("%s Another %s has the name now, with the id %s, and gets nothing. To grant it the access, %s.", fate, kind, d.present, confirm)
	if d.renamed == "" {
		text = fmt.Sprintf("%s To grant it to every such %s, set recreatedPrincipals: Grant on AWSAccount %q.", text, kind, d.account)
	}
	return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonPrincipalRecreated, text}, true
}
