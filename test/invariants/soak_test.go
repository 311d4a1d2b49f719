package invariants_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// soakTime is how long TestASoak runs; "make soak" sets it.
var soakTime = flag.Duration("soak", 0, "how long to go on with faults and sequences")

const (
	// Without a time there are a few rounds of few sequences.
	shortSoak, sequencesOfAShortRound = 3, 3
	// sequencesOfARound is how many sequences a soak plays with one seed.
	sequencesOfARound = 5
	// Growth that is no leak: the heap varies with what the collector has left.
	moreGoroutines, moreDescriptors, moreMemory = 20, 10, 16 << 20
)

// TestASoak plays generated sequences, each round with the next kind of faults,
// until its time is over. Nothing may grow meanwhile.
func TestASoak(t *testing.T) {
	begun := time.Now()
	seed := uint64(1)
	if *soakTime > 0 {
		seed = uint64(begun.Unix())
	}
	round := func(n uint64) {
		profile := faultProfiles[n%uint64(len(faultProfiles))]
		t.Logf("round %d: %s", n+1, profile.name)
		number := sequencesOfARound
		if *soakTime == 0 {
			number = sequencesOfAShortRound
		}
		sequences(t, seed+n, number, profile.begin)
	}
	round(0) // What is made once is there after the first.
	before := measure(t, unchanged())
	rounds := uint64(1)
	for ; !t.Failed() && (time.Since(begun) < *soakTime || rounds < shortSoak); rounds++ {
		round(rounds)
	}
	after := measure(t, func(s size) bool { return !s.grownBy(before, moreMemory) })
	t.Logf("in the sequences there were %s", &happened)
	t.Logf("%d rounds in %s\nafter the first round: %s\nat the end:            %s", rounds, time.Since(begun).Round(time.Second), before, after)
	if after.grownBy(before, moreMemory) {
		t.Error("goroutines, descriptors or memory have grown")
	}
}

const (
	// playsOfAManager is how many sequences one manager lives through; what it makes
	// once is there after the first ones.
	playsOfAManager, firstPlays = 8, 3
	// What a manager may have more in the end: that of the emulator's own records is
	// among it.
	moreOfAManager = 4 << 20
)

// TestAManagerThatLivesDoesNotGrow plays sequences on one manager. After each,
// when nothing is declared any more, it measures the manager: a restart would
// hide what the manager keeps for objects that are gone.
func TestAManagerThatLivesDoesNotGrow(t *testing.T) {
	h, err := harness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	restarter := h.Keep(t.Context(), &invariants.CrashPoint{})
	var sizes []size
	for seed := range playsOfAManager {
		if err = playOn(t.Context(), h, seed); err != nil {
			t.Errorf("sequence %d: %v", seed, err)
			break
		}
		h.Emulator.ResetCalls()
		enough := unchanged()
		if seed >= firstPlays {
			enough = func(s size) bool { return !s.grownBy(sizes[firstPlays-1], moreOfAManager) }
		}
		sizes = append(sizes, measure(t, enough))
		if t.Logf("at rest %d: %s", seed+1, sizes[seed]); seed >= firstPlays && sizes[seed].grownBy(sizes[firstPlays-1], moreOfAManager) {
			t.Errorf("goroutines, descriptors or memory of the manager have grown")
		}
	}
	if err := h.Close(restarter); err != nil {
		t.Error(err)
	}
}

// playOn plays a sequence without a restart, and deletes all that it declared.
func playOn(ctx context.Context, h *invariants.Harness, seed int) error {
	if err := declare(ctx, h, regional(h)); err != nil {
		return err
	}
	sequence := rapid.SliceOfN(acts(regional(h)).Filter(func(a act) bool { return a.kind != restart && a.down == nil }), stepsOfASequence, stepsOfASequence).Example(seed)
	for _, a := range append(sequence, act{kind: restAll}) {
		if err := perform(ctx, h, a); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	return leaveNothing(ctx, h)
}

// faultProfiles are what sequences are played in: the first few without a time.
var faultProfiles = []struct {
	name  string
	begin func(context.Context, *invariants.Harness) error
}{
	{"reads that lag by up to 30 s", func(_ context.Context, h *invariants.Harness) error {
		h.Emulator.SetConsistencyDelay(30 * time.Second)
		return nil
	}},
	{"two leaders", func(ctx context.Context, h *invariants.Harness) error {
		h.Observer.Managers(2)
		_, err := h.StartManager(ctx, h.Options())
		return err
	}},
	{"fair", func(context.Context, *invariants.Harness) error { return nil }},
	{"throttling, errors and lost answers", func(_ context.Context, h *invariants.Harness) error {
		h.Untimed = true
		for _, f := range rain() {
			if _, err := h.Emulator.Inject(f); err != nil {
				return err
			}
		}
		return nil
	}},
	{"answers that do not come", func(_ context.Context, h *invariants.Harness) error {
		h.AttemptTimeout = impatience
		_, err := h.Emulator.Inject(faults.Fault{Kind: faults.HoldAfter, Share: 0.1, WritesOnly: true})
		return err
	}},
	{"lost answers and reads that lag", func(_ context.Context, h *invariants.Harness) error {
		h.Emulator.SetConsistencyDelay(30 * time.Second)
		_, err := h.Emulator.Inject(faults.Fault{Kind: faults.DropAfter, Share: 0.2, WritesOnly: true})
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

func (s size) grownBy(before size, memory uint64) bool {
	return s.goroutines > before.goroutines+moreGoroutines || s.descriptors > before.descriptors+moreDescriptors || s.memory > before.memory+memory
}

const (
	// Connections end some time after they were closed. A leak never does, so that
	// waiting hides none.
	settling = 20 * time.Second
	// between is the time from one measurement to the next.
	between = 200 * time.Millisecond
)

// measure measures again and again until the size is as it should be, or has not
// become so while all that was closed had the time to end.
func measure(t *testing.T, enough func(size) bool) size {
	t.Helper()
	again := time.NewTicker(between)
	defer again.Stop()
	limit := time.NewTimer(settling)
	defer limit.Stop()
	for {
		s := sizeNow(t)
		if enough(s) {
			return s
		}
		select {
		case <-again.C:
		case <-limit.C:
			return s
		}
	}
}

// unchanged is true of a size that has had as many goroutines and descriptors for
// a while.
func unchanged() func(size) bool {
	const times = 5
	var last size
	same := 0
	return func(s size) bool {
		if same++; s.goroutines != last.goroutines || s.descriptors != last.descriptors {
			same = 0
		}
		last = s
		return same == times
	}
}

func sizeNow(t *testing.T) size {
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
