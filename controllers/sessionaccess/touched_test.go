package sessionaccess_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// An object that changes faster than the operator lists its sessions keeps none of them
// open.
func TestAnObjectThatIsTouchedAllTheTimeKeepsNoSessionOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	// As long as AWS takes at times.
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Latency, Action: "ssm:DescribeSessions", Latency: faults.Duration(300 * time.Millisecond)})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	touching, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; touching.Err() == nil; n++ {
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"test/touched":"%d"}}}`, n)
			_ = w.Client.Patch(touching, grant.DeepCopy(), client.RawPatch(types.MergePatchType, patch)) // It goes in the end.
			<-tick.C
		}
	}()
	defer func() { stop(); <-stopped }()
	lists := 0
	for seen := w.LastCall(); w.IsSessionOpen(session) && lists < 20; {
		c, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "DescribeSessions" || c.Operation == "TerminateSession" })
		w.Must(err)
		lists, seen = lists+1, c.N
	}
	if w.IsSessionOpen(session) {
		t.Errorf("the session is open after %d lists of sessions", lists)
	}
}
