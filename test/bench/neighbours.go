package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const (
	// hungPeople are the principals of the account that hangs.
	hungPeople = 20
	// crowdObjects of a neighbour, with so many principals each.
	crowdObjects, crowdEach = 5, 100
	// inventedObjects with so many principals each that do not exist.
	inventedObjects, inventedEach = 10, 100

	healthyID   = "222233334444"
	healthyName = "healthy"
	neighbour   = "bench-neighbour"
	// inventedResync is the resync interval with names that do not exist, and
	// inventedMost the most that there may be from one resync to the next.
	inventedResync = 10 * time.Second
	inventedMost   = 15.0
	inventedWatch  = 65 * time.Second
)

// What commit 3e5a03c took, before accounts and tenants took turns: printed next
// to what is measured.
const (
	hangBaseline      = 58700 * time.Millisecond
	neighbourBaseline = 44600 * time.Millisecond
	inventedBaseline  = 100 * time.Second
)

func baseline(d time.Duration) figure { return seconds("  the same at commit 3e5a03c", d) }

// healthyAccount is an account other than the one that hangs.
func healthyAccount() fixtures.Account {
	return fixtures.Account{
		ID:    healthyID,
		Users: []fixtures.User{{Name: healthyName}},
		Roles: []fixtures.Role{{Name: "ssm-access-operator", Trust: json.RawMessage(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + fixtures.S7Account + `"},"Action":"sts:AssumeRole"}]}`)}},
		Regions: map[string]fixtures.Region{fixtures.S7Region: {Instances: []fixtures.Instance{{ID: fixtures.S7Node, Agent: &fixtures.Agent{}}}}},
	}
}

func (w *world) declareHealthy(ctx context.Context) error {
	w.own[request("POST", "awsaccounts")]++
	return w.env.Client.Create(ctx, &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: healthyName},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID:         healthyID,
			Regions:           []v1alpha1.Region{fixtures.S7Region},
			AssumeRole:        &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + healthyID + ":role/ssm-access-operator"},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
		},
	})
}

// crowdOf is an object of the neighbour with many principals.
func crowdOf(name string, kind v1alpha1.PrincipalKind, principals int, ids []v1alpha1.InstanceID) *v1alpha1.SessionAccess {
	a := access(name, "", ids)
	a.Namespace = neighbour
	a.Spec.Principals = nil
	for i := range principals {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: kind, Name: fmt.Sprintf("%s-%04d", name, i)})
	}
	return a
}

// revocationBesideHang deletes a grant in one account while another account,
// where twenty principals lose their access, does not answer.
func revocationBesideHang() row {
	victim := access(healthyName, healthyName, []v1alpha1.InstanceID{fixtures.S7Node})
	victim.Spec.AccountRef.Name = healthyName
	return row{
		name: fmt.Sprintf("revoke one grant while %d principals of another account wait, which hangs", hungPeople),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.start(); err != nil {
				return err
			}
			if err := w.declareAccount(ctx); err != nil {
				return err
			}
			if err := w.declareHealthy(ctx); err != nil {
				return err
			}
			objects := []*v1alpha1.SessionAccess{victim.DeepCopy(), access("mine", "mine", instanceIDs(0, 0, 1))}
			for i, user := range w.users[:hungPeople] {
				objects = append(objects, access(user, user, instanceIDs(1+i, 0, 1)))
			}
			if err := createAll(ctx, w, objects); err != nil {
				return err
			}
			return w.waitReady(ctx, len(objects))
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) { return w.revokeBesideHang(ctx, victim) },
		until:   untilFirstWrite,
		most:    free,
	}
}

func (w *world) revokeBesideHang(ctx context.Context, victim *v1alpha1.SessionAccess) (used, []figure, error) {
	session, err := w.env.Emulator.OpenSession("arn:aws:iam::"+healthyID+":user/"+healthyName, fixtures.S7Region, fixtures.S7Node, "")
	if err != nil {
		return used{}, nil, err
	}
	release, err := w.hang(ctx)
	if err != nil {
		return used{}, nil, err
	}
	defer release()
	from, err := w.read(ctx)
	if err != nil {
		return used{}, nil, err
	}
	if err := w.delete(ctx, victim); err != nil {
		return used{}, nil, err
	}
	here := func(c calls.Call) bool { return c.AccountID == healthyID && c.Service == "iam" && changes(c) }
	first, err := w.waitCall(ctx, from.call, here)
	if err != nil {
		return used{}, nil, err
	}
	ended, err := w.waitCall(ctx, from.call, func(c calls.Call) bool {
		return c.Operation == "TerminateSession" && c.Parameters["SessionId"] == session
	})
	if err != nil {
		return used{}, nil, err
	}
	returned := 0
	for _, c := range w.env.Emulator.CallLog(0) {
		if c.Fault != "" && c.Done {
			returned++
		}
	}
	u, err := w.since(ctx, from)
	if err != nil {
		return used{}, nil, err
	}
	u.took = first.Time.Sub(from.at)
	return u, []figure{
		within("position of its first write to AWS", u.position(first.N), amongNext),
		baseline(hangBaseline),
		seconds("time until its session is terminated", ended.Time.Sub(from.at)),
		within("hanging calls that returned before", returned, 0),
	}, nil
}

// hang has the first account not answer, and waits until its revocations do.
func (w *world) hang(ctx context.Context) (release func(), err error) {
	var ids []string
	release = func() {
		for _, id := range ids {
			w.env.Emulator.RemoveFault(id)
		}
	}
	for _, action := range []string{"iam:*", "ssm:*"} {
		id, err := w.env.Emulator.Inject(faults.Fault{Kind: faults.Hold, Account: fixtures.S7Account, Action: action})
		if err != nil {
			release()
			return nil, err
		}
		ids = append(ids, id)
	}
	seen := w.env.LastCall()
	for _, user := range w.users[:hungPeople] {
		if err := w.delete(ctx, access(user, user, nil)); err != nil {
			release()
			return nil, err
		}
	}
	if _, err := w.env.WaitCall(ctx, seen, func(c calls.Call) bool { return c.Fault != "" && changes(c) }); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// position counts the writes up to call number n.
func (u used) position(n int) int {
	return u.count(func(c calls.Call) bool { return changes(c) && c.N <= n })
}

// revocationBesideNeighbour deletes a grant while a neighbour narrows the access of
// a great many principals.
func revocationBesideNeighbour() row {
	objects := make([]*v1alpha1.SessionAccess, crowdObjects)
	for i := range objects {
		objects[i] = crowdOf(fmt.Sprintf("crowd-%d", i), v1alpha1.PrincipalPermissionSet, crowdEach, instanceIDs(hungPeople+1+i, 0, 2))
	}
	return row{
		name: fmt.Sprintf("revoke one grant while a neighbour's narrowings of %d principals wait, default rate", crowdObjects*crowdEach),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.env.Namespace(ctx, neighbour, nil); err != nil {
				return err
			}
			if err := w.restart(ctx, unlimited()...); err != nil {
				return err
			}
			if err := createAll(ctx, w, objects); err != nil {
				return err
			}
			if err := w.waitReady(ctx, 1+len(objects)); err != nil {
				return err
			}
			if err := w.restart(ctx); err != nil {
				return err
			}
			return w.narrow(ctx, objects)
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			u, figures, err := w.revokeAmong(ctx, "mine", func() error { return nil })
			return u, append(figures, baseline(neighbourBaseline)), err
		},
		until: untilFirstWrite,
		most:  free,
	}
}

// narrow has each object lose a node, and waits until more writes were made than
// the limiter lets through at once.
func (w *world) narrow(ctx context.Context, objects []*v1alpha1.SessionAccess) error {
	seen := w.env.LastCall()
	for _, object := range objects {
		if err := w.env.Client.Get(ctx, keyOf(object), object); err != nil {
			return err
		}
		before := object.DeepCopy()
		object.Spec.Targets[0].InstanceIDs = object.Spec.Targets[0].InstanceIDs[:1]
		w.own[request("PATCH", resourceOf(object))]++
		// A patch, because the manager writes the status at the same time.
		if err := w.env.Client.Patch(ctx, object, client.MergeFrom(before)); err != nil {
			return fmt.Errorf("narrow SessionAccess %s: %w", object.Name, err)
		}
	}
	writes := 0
	for writes < 25 {
		next, err := w.env.WaitCall(ctx, seen, changes)
		if err != nil {
			return err
		}
		seen, writes = next.N, writes+1
	}
	return nil
}

// restart starts a manager with further flags, and waits until it has read the
// accounts.
func (w *world) restart(ctx context.Context, flags ...string) error {
	if err := w.stop(); err != nil {
		return err
	}
	seen := w.env.LastCall()
	if err := w.start(flags...); err != nil {
		return err
	}
	_, err := w.env.WaitCall(ctx, seen, func(c calls.Call) bool { return bulkRead(c) && c.AccountID == fixtures.S7Account })
	return err
}

// resyncBesideInvented watches the resyncs of an account where names do not
// exist.
func resyncBesideInvented() row {
	return row{
		name: fmt.Sprintf("resyncs %s apart beside %d names of users that do not exist, default rate", inventedResync, inventedObjects*inventedEach),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.restart(ctx, unlimited()...); err != nil {
				return err
			}
			objects := make([]*v1alpha1.SessionAccess, inventedObjects)
			for i := range objects {
				objects[i] = crowdOf(fmt.Sprintf("invented-%d", i), v1alpha1.PrincipalUser, inventedEach, instanceIDs(0, 0, 1))
			}
			if err := createAll(ctx, w, objects); err != nil {
				return err
			}
			err := w.waitAccesses(ctx, len(objects), func(a *v1alpha1.SessionAccess) bool {
				ready := meta.FindStatusCondition(a.Status.Conditions, v1alpha1.ConditionReady)
				return ready != nil && ready.Reason == v1alpha1.ReasonPrincipalNotFound
			})
			if err != nil {
				return err
			}
			return w.restart(ctx, "--resync-interval="+inventedResync.String())
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			if err := watch(ctx, inventedWatch); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return used{}, nil, err
			}
			resyncs, longest := u.resyncs(from.at)
			return u, []figure{
				count("resyncs", resyncs),
				seconds("longest time from one resync to the next", longest).bounded(inventedMost),
				baseline(inventedBaseline),
			}, nil
		},
		until: "for which it was watched",
		most:  free,
	}
}

// resyncs counts the bulk reads of the first account, and finds the longest time
// from one to the next, from the start and until the end.
func (u used) resyncs(from time.Time) (n int, longest time.Duration) {
	last := from
	for _, c := range u.aws {
		if bulkRead(c) && c.AccountID == fixtures.S7Account {
			n, longest, last = n+1, max(longest, c.Time.Sub(last)), c.Time
		}
	}
	return n, max(longest, from.Add(u.took).Sub(last))
}
