// Package sessiondocument reconciles SessionDocument: it keeps the document that
// each one declares in AWS, region by region, and cleans up after it.
package sessiondocument

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Delays. AWS sends no events: the operator has to poll for results.
const (
	// followDelay is how soon the operator reads a document again that AWS is making,
	// changing or deleting. It mostly takes seconds.
	followDelay = 2 * time.Second
	// settleDelay is how soon the operator reads again what AWS did not show yet.
	settleDelay = 5 * time.Second
	// deepInterval is how often a document is read whole though nothing about it
	// seems to have changed: a list shows neither its shares nor its state.
	deepInterval = time.Hour
	// unwellInterval is the same where condition LoggingReady is not True: a user who
	// repairs a bucket, a log group or a key wants to see it.
	unwellInterval = 10 * time.Minute
)

// Reconciler converges one SessionDocument at a time.
type Reconciler struct {
	Client client.Client
	// Reader reads past the cache.
	Reader   client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	// OwnerID of this installation, in a tag of every document.
	OwnerID string
	Memory  *Memory
	// Scope says which objects are this manager's.
	Scope accounts.Shard

	departed reconcile.Departed[*v1alpha1.SessionDocument]
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessiondocuments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessiondocuments/status,verbs=patch

// Reconcile brings one SessionDocument a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if done, result, err := r.departed.CleanUp(ctx, req.NamespacedName, r.finalize); !done || err != nil {
		return result, err
	}
	doc := &v1alpha1.SessionDocument{}
	if err := r.Client.Get(ctx, req.NamespacedName, doc); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !doc.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, doc)
	}
	after, err := r.reconcileSpec(ctx, doc)
	return reconcile.Finish(ctx, r.Client, r.Recorder, doc, queue.PriorityGrant, after, err)
}

func (r *Reconciler) finalize(ctx context.Context, doc *v1alpha1.SessionDocument) (ctrl.Result, error) {
	after, err := r.reconcileDeletion(ctx, doc)
	return reconcile.Finish(ctx, r.Client, r.Recorder, doc, queue.PriorityRevocation, after, err)
}

func (r *Reconciler) reconcileSpec(ctx context.Context, doc *v1alpha1.SessionDocument) (time.Duration, error) {
	in, err := accounts.Gather(ctx, r.Client, doc.AccountName(), doc.Namespace)
	if err != nil {
		return 0, err
	}
	if objectcache.Is(doc) && in.Open() {
		if whole, err := objectcache.Whole(ctx, r.Reader, doc); err != nil || !whole {
			return 0, err
		}
	}
	p := &pass{doc: doc, before: doc.DeepCopy()}
	want, problem := judge(in, doc, r.OwnerID)
	if problem != nil {
		r.Memory.forget(doc.UID)
		return 0, r.refuse(ctx, p, problem)
	}
	entry, ok := r.Accounts.Get(in.Account.Spec.AccountID)
	if !ok || entry.Name != in.Account.Name {
		return 0, r.reportNotReady(ctx, p)
	}
	p.account, p.want = entry, want
	rival, err := r.olderClaim(ctx, p)
	if err != nil {
		return 0, err
	}
	if rival != nil && !r.hadBefore(ctx, p) {
		r.Memory.forget(doc.UID)
		return 0, r.report(ctx, p, claimedBy(want.name, rival))
	}
	p.rival, p.yields = rival, yields(doc)
	if r.steady(ctx, p) {
		return 0, nil
	}
	return r.converge(ctx, p)
}

// pass is one reconcile of one object.
type pass struct {
	// doc is the object as it changes, before how it was last written.
	doc, before *v1alpha1.SessionDocument
	account     accounts.Entry
	want        wanted
	// rival is an older object that declares the document, where AWS shows that
	// this one had it before a restore.
	rival *v1alpha1.SessionDocument
	// yields: the object never had the document, and leaves it to one that has it.
	yields bool
}

// observing reports whether nothing may be written to AWS.
func (p *pass) observing() bool { return p.account.Mode == v1alpha1.ModeObserve }

// converge brings every region to the desired state. It records what it may send to AWS
// before it does.
func (r *Reconciler) converge(ctx context.Context, p *pass) (time.Duration, error) {
	if err := r.record(ctx, p); err != nil {
		if reconcile.Rejected(err) {
			return r.narrow(ctx, p, err)
		}
		return 0, err
	}
	var all findings
	r.leaveRegions(ctx, p, &all)
	for i := range p.doc.Status.Regions {
		at := &p.doc.Status.Regions[i]
		if !p.want.in(at.Region) {
			continue
		}
		f, err := r.convergeRegion(ctx, p, at)
		if err != nil {
			r.Memory.forget(p.doc.UID)
			return 0, err
		}
		all.add(at, f)
	}
	r.checkLogging(ctx, p)
	verdict := all.verdict(inPlace(p))
	if verdict.Progress == reconcile.Settled {
		p.doc.Status.TagKeys = p.want.declaredKeys()
	}
	setPromotionPending(p)
	if err := r.reportUnlessHidden(ctx, p, &all, verdict); err != nil {
		return 0, err
	}
	if verdict.Progress == reconcile.Settled && len(all.hidden) == 0 {
		r.Memory.settle(p, r.Clock.Now())
	} else {
		r.Memory.forget(p.doc.UID)
	}
	return all.after, all.retry()
}
