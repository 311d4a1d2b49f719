// Package controllers sets up the controllers of all kinds: Setup makes each one and
// connects them. The kinds themselves are listed in v1alpha1.Kinds.
package controllers

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounttier"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awsaccount"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/effect"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/hybridactivation"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/metrics"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/principal"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reachability"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/sessionaccess"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/sessiondocument"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// Options are what the controllers need in addition to the manager.
type Options struct {
	// OwnerID is eight hex digits; our policies live under /ssm-access/<OwnerID>/.
	OwnerID string
	// Pool holds the AWS accounts.
	Pool *iam.Pool
	// ResyncInterval is how often each account is verified and read again.
	ResyncInterval time.Duration
	// AccountSelector picks the AWSAccounts that this manager works on, with the
	// objects that name them; every one where it is nil.
	AccountSelector labels.Selector
	// Metrics counts what happens; nil counts nothing.
	Metrics *metrics.Metrics
	// Clock returns the time; nil is the real clock.
	Clock clock.PassiveClock
}

// CacheOptions are those of the manager's cache. It keeps what decisions read, and
// of objects without a record little more than their names: see package objectcache.
func CacheOptions() cache.Options {
	trim := objectcache.Transform(sessionaccess.Brief)
	return cache.Options{DefaultTransform: trim, NewInformer: objectcache.NewInformer(trim)}
}

// recorderName is the reporting controller of our events.
const recorderName = "ssm-access-operator"

// Setup registers every controller with the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error { //nolint:funlen // It is the one table of controllers.
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if err := queue.Register(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	api := objectcache.NewClient(mgr.GetClient(), mgr.GetAPIReader())
	if err := api.Watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	mine := accounts.Shard{Selector: o.AccountSelector}
	ready, err := accounts.NewReadiness(ctx, mgr, mine)
	if err != nil {
		return err
	}
	recorder := mgr.GetEventRecorder(recorderName)
	usage, accesses, principals := &awsaccount.Trigger{}, &sessionaccess.Trigger{}, principal.NewQueue()
	documents, tiers, activations := &queue.Trigger[ctrl.Request]{}, &accounttier.Trigger{}, &hybridactivation.Triggers{}
	looks, simulations := &reachability.Trigger{}, &effect.Trigger{}
	accounts := accounts.NewRegistry(
		looks.WakeAccount,
		principals.WakeAccount(mgr.GetClient()), accesses.WakeAccount(mgr.GetClient()),
		accounts.Wake(documents, mgr.GetClient(), &v1alpha1.SessionDocumentList{}),
		accounts.Wake(tiers, mgr.GetClient(), &v1alpha1.AccountTierList{}),
		activations.WakeAccount(mgr.GetClient()), simulations.WakeAccount(mgr.GetClient()),
	)
	accounts.Hold = principals.Hold
	caches := awscache.NewCaches(o.Clock)
	o.Pool.Guard(accounts.MayWrite)
	o.Metrics.Watch(metrics.Sources{Client: mgr.GetClient(), Clock: o.Clock, Accounts: accounts, Scope: mine, Elected: mgr.Elected()})
	contended := contention.New(o.Clock)
	drifts := &awsaccount.Drifts{
		Client: mgr.GetClient(), Recorder: recorder, Contention: contended,
		Found: o.Metrics.DriftFound, Contended: o.Metrics.PolicyContended, Wake: principals.WakeAccount(mgr.GetClient()),
	}
	o.Pool.OnDrift(drifts.Report)
	outcomes := grants.NewPrincipalStore(accesses.WakeHolders)
	reports, effects := grants.NewReachabilityStore(accesses.WakeAccesses), grants.NewEffectStore(accesses.WakeAccesses)
	common := reconcile.Options{
		Client: api, Reader: mgr.GetAPIReader(), Recorder: recorder, Clock: o.Clock, Accounts: accounts, Shard: mine,
	}
	people := &principal.Reconciler{
		Client: api, Clock: o.Clock, OwnerID: o.OwnerID, Accounts: accounts, Outcomes: outcomes,
		PoliciesChanged: usage.PoliciesChanged, Contention: contended, Recorder: recorder,
	}
	return errors.Join(
		(&awsaccount.Reconciler{
			Options: common, OwnerID: o.OwnerID, Pool: o.Pool, ResyncInterval: o.ResyncInterval,
			Judged: ready.Judged, Contention: contended,
		}).SetupWithManager(mgr, usage),
		people.SetupWithManager(mgr, principals), people.SetupVersions(mgr),
		(&sessionaccess.Reconciler{
			Options: common, Outcomes: outcomes, Metrics: o.Metrics, Targets: reports, Effects: effects,
			Sessions: sessionaccess.NewSessionCache(), Superseded: sessionaccess.NewSupersessions(), Caches: caches,
		}).SetupWithManager(mgr, accesses), //nolint:contextcheck // Its queue asks the cache, with a context of its own.
		(&sessiondocument.Reconciler{
			Options: common, OwnerID: o.OwnerID, Memory: sessiondocument.NewMemory(o.Clock),
		}).SetupWithManager(mgr, documents), //nolint:contextcheck // Its queue asks the cache, with a context of its own.
		(&accounttier.Reconciler{Options: common, Caches: caches}).SetupWithManager(mgr, tiers), //nolint:contextcheck // Its queue asks the cache, with a context of its own.
		(&hybridactivation.Reconciler{
			Options: common, Activations: hybridactivation.NewActivationCache(o.Clock), OwnerID: o.OwnerID,
		}).SetupWithManager(mgr, activations), //nolint:contextcheck // Its queue asks the cache, with a context of its own.
		(&reachability.Reconciler{
			Client: api, Clock: o.Clock, Accounts: accounts, Reports: reports, ResyncInterval: o.ResyncInterval,
		}).SetupWithManager(mgr, looks),
		(&effect.Reconciler{
			Client: api, Clock: o.Clock, Accounts: accounts, Outcomes: outcomes, Effects: effects,
		}).SetupWithManager(mgr, simulations),
	)
}
