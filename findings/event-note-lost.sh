#!/usr/bin/env bash
# client-go, events.k8s.io: a second event with another note is not written.
#
# A guess: two events of one object that say different things are two events, as
# with the recorder of core/v1, where the message is part of what makes two
# events alike.
# What is so: the recorder of k8s.io/client-go/tools/events, which
# controller-runtime hands out as GetEventRecorder, leaves the note out of its
# key. Within six minutes a second event of the same object, type, reason and
# action raises the count of the first, and its note never reaches the API
# server. Reason AccessDenied for ssm:StartSession, then for
# ssm:TerminateSession: kubectl describe shows the first, counted twice. Put
# what differs into the action or the reason.
#
# Control: with another action both notes are written.
#
# Modules: k8s.io/client-go v0.37.0, k8s.io/api and apimachinery v0.37.0. Run on
# 2026-11-29 with Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26

require (
	k8s.io/api v0.37.0
	k8s.io/apimachinery v0.37.0
	k8s.io/client-go v0.37.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
)

// sink stands for the API server, and counts what reaches it.
type sink struct {
	mu      sync.Mutex
	created []string
	patched []string
}

func (s *sink) Create(_ context.Context, e *eventsv1.Event) (*eventsv1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created = append(s.created, e.Note)
	return e, nil
}

func (s *sink) Update(_ context.Context, e *eventsv1.Event) (*eventsv1.Event, error) { return e, nil }

func (s *sink) Patch(_ context.Context, e *eventsv1.Event, data []byte) (*eventsv1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patched = append(s.patched, e.Note)
	return e, nil
}

func (s *sink) seen() (created, patched int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.created), len(s.patched)
}

// record sends two notes with the given actions.
func record(first, second string) *sink {
	s := &sink{}
	broadcaster := events.NewBroadcaster(s)
	stop := make(chan struct{})
	defer close(stop)
	broadcaster.StartRecordingToSink(stop)
	scheme := runtime.NewScheme()
	_ = corev1.AddToScheme(scheme)
	recorder := broadcaster.NewRecorder(scheme, "finding")
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "access", UID: "1"}}
	wait := func(n int) {
		for range 500 {
			if c, p := s.seen(); c+p >= n {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	recorder.Eventf(object, nil, corev1.EventTypeWarning, "AccessDenied", first, "%s", "ssm:StartSession is missing")
	wait(1)
	recorder.Eventf(object, nil, corev1.EventTypeWarning, "AccessDenied", second, "%s", "ssm:TerminateSession is missing")
	wait(2)
	return s
}

func main() {
	fmt.Println("client-go v0.37.0")
	same, other := record("Reconcile", "Reconcile"), record("Reconcile", "EndSessions")
	fmt.Printf("same action:    created %q, counted up %q\n", same.created, same.patched)
	fmt.Printf("another action: created %q, counted up %q\n", other.created, other.patched)
	lost := len(same.created) == 1 && len(same.patched) == 1 && same.patched[0] == "ssm:StartSession is missing"
	if !lost || len(other.created) != 2 {
		fmt.Fprintln(os.Stderr, "CHANGED")
		os.Exit(1)
	}
}
GO
GOFLAGS=-mod=mod go run .
