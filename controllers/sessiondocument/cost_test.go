package sessiondocument_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What a hundred documents cost: two pages of a list a resync and, once an hour,
// two calls for each.
func TestAHundredDocumentsCostTwoCallsAResync(t *testing.T) {
	const many = 100
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Create(scenario.Account())
	for i := range many {
		doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "" })
		doc.Name = fmt.Sprintf("document-%03d", i)
		w.Create(doc)
	}
	inPlace := func(d *v1alpha1.SessionDocument) bool { return scenario.ReadyOf(d).Reason == v1alpha1.ReasonInPlace }
	w.Must(testenv.WaitCount(t.Context(), w.Client, scenario.SessionDocument(), many, inPlace))
	resyncs := func(n int) {
		t.Helper()
		since := w.resynced(w.LastCall()) // What was made since the last list is read by the next.
		before := since
		for range n {
			since = w.resynced(since)
		}
		got := w.documentCalls(before)
		if pages := got["ListDocuments"]; len(got) > 1 || pages == 0 || pages > 2*(n+1) {
			t.Errorf("%d resyncs cost %v", n, got)
		}
	}
	resyncs(3)

	w.Must(m.Stop())
	before := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	since := w.resynced(before)
	w.resynced(since)
	// Some are due for their hour's reading, which is spread over the hour.
	if got := w.documentCalls(before); got["ListDocuments"] == 0 || got["ListDocuments"] > 6 || got["DescribeDocument"] > many/20 || got["GetDocument"] > 0 {
		t.Errorf("a restart costs %v", got)
	}

	before = w.LastCall()
	w.Emulator.Advance(2 * time.Hour)
	w.Eventually(func() bool { return w.documentCalls(before)["DescribeDocumentPermission"] == many })
	got := w.documentCalls(before)
	delete(got, "ListDocuments")
	scenario.ExpectEqual(t, "an hour's reading of all of them", got, map[string]int{"DescribeDocument": many, "DescribeDocumentPermission": many})
	resyncs(2)
}

// resynced waits until the operator reads the account again after a call, and returns the
// number of that call.
func (w world) resynced(since int) int {
	w.T.Helper()
	call, err := w.WaitCall(w.T.Context(), since, func(c calls.Call) bool { return c.Operation == "GetAccountSummary" })
	w.Must(err)
	return call.N
}
