package iam

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPagesAreDecodedAFewAtATimeAndOneThatStopsDelaysNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDecoding()
		began := time.Now()
		for range decoders { // Their bodies never come.
			if _, err := d.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one more is decoded: %v", err)
		}
		leave, err := d.enter(t.Context())
		if waited := time.Since(began); err != nil || waited != decoderHold {
			t.Errorf("the next waited %s: %v", waited, err)
		}
		leave()
		leave()
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's time is not real: nothing waits
		if len(d) != 0 {
			t.Errorf("%d places are taken by nothing", len(d))
		}
	})
}
