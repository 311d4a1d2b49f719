package awscache_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func account(resync int) accounts.Entry {
	return accounts.Entry{AccountID: "488821267897", NextResync: noon.Add(time.Duration(resync) * time.Minute)}
}

func TestAQuestionIsAskedOnceInAResync(t *testing.T) {
	var asked atomic.Int32
	once := awscache.NewCache(testclock.NewFakePassiveClock(noon), func(context.Context, accounts.Entry, string) (int32, error) {
		return asked.Add(1), nil
	})
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if got, err := once.Get(t.Context(), account(1), "a"); got != 1 || err != nil {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
	wait.Wait()
	for _, c := range []struct {
		resync int
		key    string
		want   int32
	}{{1, "b", 2}, {1, "a", 1}, {2, "a", 3}, {2, "a", 3}} {
		if got, err := once.Get(t.Context(), account(c.resync), c.key); got != c.want || err != nil {
			t.Errorf("resync %d, %s: %d, %v; want %d", c.resync, c.key, got, err, c.want)
		}
	}
	once.Put(account(2), "a", 99)
	if got, _ := once.Get(t.Context(), account(2), "a"); got != 99 {
		t.Errorf("what was read anyway is not used: %d", got)
	}
}

func TestAnErrorIsTheAnswerForAMinute(t *testing.T) {
	clk := testclock.NewFakePassiveClock(noon)
	asked := 0
	answers := []error{context.Canceled, errors.New("AWS fails"), nil}
	once := awscache.NewCache(clk, func(context.Context, accounts.Entry, string) (int, error) {
		err := answers[asked]
		asked++
		return asked, err
	})
	for _, c := range []struct {
		after time.Duration
		asked int
		fails bool
	}{{0, 1, true}, {0, 2, true}, {59 * time.Second, 2, true}, {time.Minute, 3, false}, {time.Hour, 3, false}} {
		clk.SetTime(noon.Add(c.after))
		_, err := once.Get(t.Context(), account(1), "a")
		if asked != c.asked || (err != nil) != c.fails {
			t.Errorf("after %s: asked %d times, %v; want %d, failing %t", c.after, asked, err, c.asked, c.fails)
		}
	}
}
