package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// reading is the state of every meter at one moment.
type reading struct {
	at      time.Time
	call    int
	own     int
	objects apiWrites
	process usage
}

// used is what has been used between two readings.
type used struct {
	took time.Duration
	// aws are the calls to AWS, in the order of their arrival.
	aws []calls.Call
	// status, other and events are the manager's writes to the API server: to
	// the status of our kinds, to anything else of them, and events.
	status, other, events int
	cpu                   time.Duration
}

// read reads every meter.
func (w *world) read(ctx context.Context) (reading, error) {
	objects, err := w.apiWrites(ctx)
	if err != nil {
		return reading{}, err
	}
	r := reading{at: time.Now(), call: w.env.LastCall(), own: w.own, objects: objects}
	if w.manager != nil {
		r.process = usageOf(w.manager.Pid())
	}
	return r, nil
}

// since is what has been used since a reading.
func (w *world) since(ctx context.Context, from reading) (used, error) {
	to, err := w.read(ctx)
	if err != nil {
		return used{}, err
	}
	return used{
		took:   to.at.Sub(from.at),
		aws:    w.env.Emulator.CallLog(from.call),
		status: to.objects.status - from.objects.status,
		other:  to.objects.other - from.objects.other - (to.own - from.own),
		events: to.objects.events - from.objects.events,
		cpu:    to.process.cpu - from.process.cpu,
	}, nil
}

// identityCalls counts the calls to IAM and STS, which the bounds are about.
func (u used) identityCalls() int {
	return u.count(func(c calls.Call) bool { return c.Service == "iam" || c.Service == "sts" })
}

// changes says whether a call changes something in AWS. Credentials do not.
func changes(c calls.Call) bool { return c.Write && c.Service != "sts" }

// awsWrites counts the calls that change something in AWS.
func (u used) awsWrites() int { return u.count(changes) }

// count counts the calls of which something holds.
func (u used) count(holds func(calls.Call) bool) int {
	n := 0
	for _, call := range u.aws {
		if holds(call) {
			n++
		}
	}
	return n
}

// byAction is a figure for each action called.
func (u used) byAction() []figure {
	n := map[string]int{}
	for _, call := range u.aws {
		n[call.Action()]++
	}
	var figures []figure
	for _, action := range slices.Sorted(maps.Keys(n)) {
		figures = append(figures, count("  "+action, n[action]))
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
