package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// reading is the state of every meter at one moment.
type reading struct {
	at      time.Time
	call    int
	own     apiWrites
	objects apiWrites
	process usage
}

// used is what has been used between two readings.
type used struct {
	took time.Duration
	// aws are the calls to AWS, in the order of their arrival.
	aws []calls.Call
	// writes are the manager's to the API server.
	writes apiWrites
	cpu    time.Duration
	// peak is the manager's greatest resident memory since it started, in bytes.
	peak uint64
}

// read reads every meter before something is done.
func (w *world) read(ctx context.Context) (reading, error) {
	objects, err := w.apiWrites(ctx)
	if err != nil {
		return reading{}, err
	}
	r := w.atOnce()
	r.objects = objects
	return r, nil
}

// atOnce reads the meters that take no time to read.
func (w *world) atOnce() reading {
	r := reading{at: time.Now(), call: w.env.LastCall(), own: maps.Clone(w.own)}
	if w.manager != nil {
		r.process = usageOf(w.manager.Pid())
	}
	return r
}

// since is what has been used since a reading. It reads the API server's meter
// last, because that takes a moment and a queue continues meanwhile.
func (w *world) since(ctx context.Context, from reading) (used, error) {
	to := w.atOnce()
	objects, err := w.apiWrites(ctx)
	if err != nil {
		return used{}, err
	}
	return used{
		took:   to.at.Sub(from.at),
		aws:    upTo(to.call, w.env.Emulator.CallLog(from.call)),
		writes: objects.less(from.objects, to.own.less(from.own)),
		cpu:    to.process.cpu - from.process.cpu,
		peak:   to.process.peak,
	}, nil
}

// upTo leaves out the calls that came after number n.
func upTo(n int, log []calls.Call) []calls.Call {
	return slices.DeleteFunc(log, func(c calls.Call) bool { return c.N > n })
}

// identityCalls counts the calls to IAM and STS, which the bounds are about. Simulations
// have a limiter and a row of their own.
func (u used) identityCalls() int {
	return u.count(func(c calls.Call) bool { return c.Service == "iam" && !simulates(c) || c.Service == "sts" })
}

// simulates reports whether a call asks IAM's policy simulator.
func simulates(c calls.Call) bool { return c.Operation == "SimulatePrincipalPolicy" }

// changes reports whether a call changes something in AWS. Credentials do not.
func changes(c calls.Call) bool { return c.Write && c.Service != "sts" }

// awsWrites counts the calls that change something in AWS.
func (u used) awsWrites() int { return u.count(changes) }

// count counts the calls for which holds is true.
func (u used) count(holds func(calls.Call) bool) int {
	n := 0
	for _, call := range u.aws {
		if holds(call) {
			n++
		}
	}
	return n
}

// lastCall is when the last call to AWS came; from, where there was none.
func (u used) lastCall(from time.Time) time.Time {
	if len(u.aws) == 0 {
		return from
	}
	return u.aws[len(u.aws)-1].Time
}

// span is the time from the first call to AWS to the last.
func (u used) span() time.Duration {
	if len(u.aws) == 0 {
		return 0
	}
	return u.lastCall(time.Time{}).Sub(u.aws[0].Time)
}

// byAction counts the calls of each action.
func (u used) byAction() map[string]int {
	n := map[string]int{}
	for _, call := range u.aws {
		n[call.Action()]++
	}
	return n
}

// bounds of the figures that every row has. NaN: it is not bounded.
type bounds struct {
	// calls to IAM and STS, and writes to AWS.
	calls, awsWrites float64
	// Writes to the API server: to the status of the operator's kinds, anything
	// else of these kinds, and events.
	status, other, events float64
	// cpu of the manager in seconds, and its peak of memory in MiB.
	cpu, memory float64
}

// figures are those that every row has, in the order in which they are printed.
// until says what the time ends with.
func (u used) figures(until string, most bounds) []figure {
	identity := u.identityCalls()
	figures := []figure{
		within("calls to IAM and STS", identity, most.calls).compared("iam-calls/op", 1),
		count("calls to other services", len(u.aws)-identity).compared("other-calls/op", 1),
	}
	figures = append(figures, each(u.byAction())...)
	figures = append(figures,
		within("writes to AWS", u.awsWrites(), most.awsWrites).compared("aws-writes/op", 1),
		within("status writes", u.writes.status(), most.status).compared("status-writes/op", 1),
		within("other writes to our kinds", u.writes.other(), most.other).compared("object-writes/op", 1),
		within("events", u.writes.events(), most.events).compared("events/op", 1),
	)
	figures = append(figures, each(u.writes)...)
	return append(figures,
		seconds("wall time "+until, u.took).compared("sec/op", 1),
		seconds("CPU of the manager", u.cpu).bounded(most.cpu).compared("cpu-sec/op", 1),
		mebibytes("peak memory of the manager since its start", u.peak).bounded(most.memory).compared("peak-B", 1<<20),
	)
}

// each is a figure for each of what was counted.
func each(n map[string]int) []figure {
	var figures []figure
	for _, name := range slices.Sorted(maps.Keys(n)) {
		figures = append(figures, count("  "+name, n[name]))
	}
	return figures
}

// waitCall waits for a call for longer than the tests do: resyncs are some
// minutes apart.
func (w *world) waitCall(ctx context.Context, since int, holds func(calls.Call) bool) (call calls.Call, err error) {
	for range longWait / testenv.Patience {
		if call, err = w.env.WaitCall(ctx, since, holds); err == nil || ctx.Err() != nil {
			return call, err
		}
	}
	return call, err
}
