package sessionaccess

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

func TestThoseWhoAskTogetherShareOneAnswer(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"a list": nil, "an error": errors.New("no answer")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var l listing
				answer, asked := make(chan struct{}), 0
				after := time.Now().Add(-time.Second)
				ask := func() ([]cloud.Session, error) {
					asked++
					<-answer
					return []cloud.Session{{ID: "one"}}, failure
				}
				var wait sync.WaitGroup
				for range 5 {
					wait.Go(func() {
						read, err := l.get(t.Context(), clock.RealClock{}, after, reuse, ask)
						if !errors.Is(err, failure) || len(read.sessions) != 1 {
							t.Errorf("got %v, %v", read.sessions, err)
						}
					})
				}
				synctest.Wait()
				close(answer)
				wait.Wait()
				if asked != 1 {
					t.Errorf("asked %d times", asked)
				}
			})
		})
	}
}

func TestAReadThatHangsServesNobodyWhoseLossIsYounger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l listing
		hang := make(chan struct{})
		go func() {
			_, _ = l.get(t.Context(), clock.RealClock{}, time.Now().Add(-time.Second), reuse, func() ([]cloud.Session, error) {
				<-hang
				return []cloud.Session{{ID: "old"}}, nil
			})
		}()
		synctest.Wait()
		read, err := l.get(t.Context(), clock.RealClock{}, time.Now(), reuse, func() ([]cloud.Session, error) {
			return []cloud.Session{{ID: "new"}}, nil
		})
		if err != nil || read.sessions[0].ID != "new" {
			t.Errorf("got %v, %v", read.sessions, err)
		}
		close(hang)
		synctest.Wait()
	})
}
