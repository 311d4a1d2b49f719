package awscache_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
)

const young = 2 * time.Second

func TestThoseWhoAskTogetherShareOneAnswer(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"a list": nil, "an error": errors.New("no answer")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var r awscache.Read[string]
				answer, asked := make(chan struct{}), 0
				since := time.Now()
				ask := func() (string, error) {
					asked++
					<-answer
					return "one", failure
				}
				var wait sync.WaitGroup
				for range 5 {
					wait.Go(func() {
						got, err := r.Get(t.Context(), clock.RealClock{}, since, young, ask)
						if !errors.Is(err, failure) || got.Value != "one" {
							t.Errorf("got %v, %v", got.Value, err)
						}
					})
				}
				synctest.Wait()
				if _, ended, _ := r.Last(); ended {
					t.Error("it ended before there was an answer")
				}
				<-time.After(time.Second)
				close(answer)
				wait.Wait()
				if took, ended, err := r.Last(); asked != 1 || !ended || took != time.Second || !errors.Is(err, failure) {
					t.Errorf("asked %d times; the last took %s: %v", asked, took, err)
				}
			})
		})
	}
}

func TestAReadThatHangsServesNoCallerThatNeedsAYoungerOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r awscache.Read[string]
		hang := make(chan struct{})
		go func() {
			_, _ = r.Get(t.Context(), clock.RealClock{}, time.Now(), young, func() (string, error) {
				<-hang
				return "old", nil
			})
		}()
		synctest.Wait()
		since := time.Now().Add(time.Nanosecond)
		<-time.After(time.Nanosecond)
		read := func() (string, error) { return "new", nil }
		for range 2 { // The hanging read answers between the two, and does not replace the younger.
			got, err := r.Get(t.Context(), clock.RealClock{}, since, young, read)
			if err != nil || got.Value != "new" {
				t.Errorf("got %v, %v", got.Value, err)
			}
			if hang != nil {
				close(hang)
				hang = nil
			}
			synctest.Wait()
			since, read = time.Time{}, nil
		}
	})
}

func TestAnAnswerServesUntilItIsTooOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r awscache.Read[int]
		asked := 0
		start := time.Now()
		for _, c := range []struct {
			wait  time.Duration
			since time.Time
			want  int
		}{{0, start, 1}, {young - 1, start, 1}, {1, start, 2}, {0, start.Add(young), 2}, {time.Second, start.Add(young + time.Second), 3}} {
			<-time.After(c.wait)
			got, err := r.Get(t.Context(), clock.RealClock{}, c.since, young, func() (int, error) {
				asked++
				return asked, nil
			})
			if err != nil || got.Value != c.want || got.Begun.Before(c.since) {
				t.Errorf("after %s got the answer %d of %s: %v; want %d", time.Since(start), got.Value, got.Begun.Sub(start), err, c.want)
			}
		}
	})
}

func TestWhoStopsWaitingGetsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r awscache.Read[string]
		hang := make(chan struct{})
		defer close(hang)
		go func() {
			_, _ = r.Get(t.Context(), clock.RealClock{}, time.Now(), young, func() (string, error) {
				<-hang
				return "late", nil
			})
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := r.Get(ctx, clock.RealClock{}, time.Now(), young, nil)
		if !errors.Is(err, context.DeadlineExceeded) || got.Value != "" {
			t.Errorf("got %v, %v", got.Value, err)
		}
	})
}
