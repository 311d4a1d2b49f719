package scenario

import (
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// AwaitCall waits for a call of an operation by the operator after a number.
func (w World) AwaitCall(since int, operation string) {
	w.T.Helper()
	_, err := w.WaitCall(w.T.Context(), since, func(c calls.Call) bool {
		return c.Operation == operation && c.Caller == UserARN("ssm-access-operator")
	})
	w.Must(err)
}

// AwaitAccess waits until Ready of a SessionAccess has a reason for the present
// generation, and returns the object.
func (w World) AwaitAccess(obj *v1alpha1.SessionAccess, reason string) *v1alpha1.SessionAccess {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		ready := Condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.Must(err)
	return got
}

// AwaitAccount waits until Ready of an AWSAccount has a reason.
func (w World) AwaitAccount(obj *v1alpha1.AWSAccount, reason string) *v1alpha1.AWSAccount {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.AWSAccount) bool {
		ready := Condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.Must(err)
	return got
}

// Eventually waits for something in AWS, which changes with its calls.
func (w World) Eventually(holds func() bool) {
	w.T.Helper()
	w.Must(w.Until(w.T.Context(), holds))
}

// AwaitEvent waits for the one event of a reason that regards an object: events
// are written in the background.
func (w World) AwaitEvent(obj client.Object, reason string) {
	w.T.Helper()
	w.Must(testenv.WaitCount(w.T.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Reason == reason && e.Regarding.UID == obj.GetUID()
	}))
}

// AwaitNodesChecked waits until the nodes of a SessionAccess have been checked, which is the last
// thing that is reported of a new one.
func (w World) AwaitNodesChecked(obj *v1alpha1.SessionAccess) *v1alpha1.SessionAccess {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable).Reason != ""
	})
	w.Must(err)
	return got
}

// AwaitResyncs waits for a number of bulk reads.
func (w World) AwaitResyncs(n int) {
	w.T.Helper()
	seen := w.LastCall()
	for range n {
		call, err := w.WaitCall(w.T.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
		w.Must(err)
		seen = call.N
	}
}

// AwaitBulkReads waits until the operator has begun to read all of IAM so many times.
func (w World) AwaitBulkReads(n int) {
	w.T.Helper()
	for range n {
		_, err := w.WaitCall(w.T.Context(), w.LastCall(), func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
		w.Must(err)
	}
}

// AwaitAccesses waits until a number of SessionAccesses of a namespace have a reason.
func (w World) AwaitAccesses(namespace string, n int, reason string) {
	w.T.Helper()
	w.Must(testenv.WaitCount(w.T.Context(), w.Client, &v1alpha1.SessionAccess{}, n, func(a *v1alpha1.SessionAccess) bool {
		return Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	}, client.InNamespace(namespace)))
}
