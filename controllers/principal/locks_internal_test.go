package principal

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
)

func TestPrincipalsShareNoLockAndTheLanesOfOneDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l locks
		unlocks := map[int]func(){}
		for i := range 10_000 { // More than any number of stripes.
			unlock, err := l.lock(t.Context(), user(here, fmt.Sprint(i)))
			if err != nil {
				t.Fatal(err)
			}
			unlocks[i] = unlock
		}
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan error, 1)
		go func() {
			_, err := l.lock(ctx, user(here, "7"))
			second <- err
		}()
		synctest.Wait()
		if cancel(); <-second == nil {
			t.Error("both lanes have one principal")
		}
		unlocks[7]()
		unlock, err := l.lock(t.Context(), user(here, "7"))
		if err != nil {
			t.Fatal(err)
		}
		unlocks[7] = unlock
		for _, unlock := range unlocks {
			unlock()
		}
		if len(l.held) != 0 {
			t.Errorf("%d locks are left", len(l.held))
		}
	})
}
