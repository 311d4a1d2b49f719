package proof_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/internal/proof"
)

// soakTime is how long TestASoak goes on; "make soak" sets it.
var soakTime = flag.Duration("soak", 0, "how long to go on with faults and sequences")

const (
	// Without a time there are a few rounds of few sequences.
	shortSoak, sequencesOfAShortRound = 3, 3
	// sequencesOfARound is how many sequences a soak plays with one seed.
	sequencesOfARound = 5
	// Growth that is no leak: the heap varies with what the collector has left.
	moreGoroutines, moreDescriptors, moreMemory = 20, 10, 64 << 20
)

// TestASoak has generated sequences, each round with the next kind of weather,
// until its time is over. Nothing may grow meanwhile.
func TestASoak(t *testing.T) {
	begun := time.Now()
	seed := uint64(1)
	if *soakTime > 0 {
		seed = uint64(begun.Unix())
	}
	round := func(n uint64) {
		weather := weathers[n%uint64(len(weathers))]
		t.Logf("round %d: %s", n+1, weather.name)
		number := sequencesOfARound
		if *soakTime == 0 {
			number = sequencesOfAShortRound
		}
		sequences(t, seed+n, number, weather.begin)
	}
	round(0) // What is made once is there after the first.
	before := measure(t)
	rounds := uint64(1)
	for ; !t.Failed() && (time.Since(begun) < *soakTime || rounds < shortSoak); rounds++ {
		round(rounds)
	}
	after := measure(t)
	t.Logf("%d rounds in %s\nafter the first round: %s\nat the end:            %s", rounds, time.Since(begun).Round(time.Second), before, after)
	if after.goroutines > before.goroutines+moreGoroutines || after.descriptors > before.descriptors+moreDescriptors || after.memory > before.memory+moreMemory {
		t.Error("goroutines, descriptors or memory have grown")
	}
}

// weathers are what sequences are played in: the first few without a time.
var weathers = []struct {
	name  string
	begin func(context.Context, *proof.Bed) error
}{
	{"reads that lag by up to 30 s", func(_ context.Context, b *proof.Bed) error {
		b.Emulator.SetConsistencyDelay(30 * time.Second)
		return nil
	}},
	{"two leaders", func(ctx context.Context, b *proof.Bed) error {
		b.Observer.Managers(2)
		_, err := b.StartManager(ctx, b.Options())
		return err
	}},
	{"fair", func(context.Context, *proof.Bed) error { return nil }},
	{"throttling, errors and lost answers", func(_ context.Context, b *proof.Bed) error {
		for _, f := range rain() {
			if _, err := b.Emulator.Inject(f); err != nil {
				return err
			}
		}
		return nil
	}},
	{"lost answers and reads that lag", func(_ context.Context, b *proof.Bed) error {
		b.Emulator.SetConsistencyDelay(30 * time.Second)
		_, err := b.Emulator.Inject(faults.Fault{Kind: faults.DropAfter, Share: 0.2, WritesOnly: true})
		return err
	}},
}

// size is what must not grow.
type size struct {
	goroutines, descriptors int
	memory                  uint64
}

func (s size) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MiB on the heap", s.goroutines, s.descriptors, float64(s.memory)/(1<<20))
}

func measure(t *testing.T) size {
	t.Helper()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Logf("descriptors are not counted: %v", err)
	}
	return size{goroutines: runtime.NumGoroutine(), descriptors: len(open), memory: m.HeapAlloc}
}
