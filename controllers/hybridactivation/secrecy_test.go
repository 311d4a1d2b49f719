package hybridactivation_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/funcr"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// written collects what a manager logs.
type written struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *written) add(prefix, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(prefix + " " + args + "\n")
}

func (l *written) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// refusing is an API server that refuses to write Secrets while the flag is set.
type refusing struct {
	*atomic.Bool
	// rehearsals too: it refuses what would not be written anyway.
	rehearsals bool
	next       http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (f refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !f.Load() || r.Method == http.MethodGet || r.Method == http.MethodDelete || !strings.Contains(r.URL.Path, "/secrets") || (!f.rehearsals && r.URL.Query().Has("dryRun")) {
		return f.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body.Close()
	status, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		// A webhook that repeats what it was sent is the worst that can come.
		Message: "admission denies " + strings.ToValidUTF8(string(body), "."),
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(status))), Request: r,
	}, nil
}

// The code is in the Secret alone.
func TestTheCodeIsInNoStatusEventLogOrError(t *testing.T) {
	w := worldWithoutManager(t)
	log, failing := &written{}, &atomic.Bool{}
	api := rest.CopyConfig(w.OperatorConfig())
	api.Wrap(func(next http.RoundTripper) http.RoundTripper { return refusing{failing, false, next} })
	// The most that --log-level allows.
	w.Manager(t, testenv.ManagerOptions{API: api, Log: funcr.New(log.add, funcr.Options{Verbosity: 1})})
	var mu sync.Mutex
	codes := map[string]bool{}
	w.Emulator.Observe(func(awsemulator.Change) {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range w.Activations() {
			codes[a.Code] = true
		}
	})
	obj := scenario.Activation("sites")
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	// The second one's code cannot be stored.
	failing.Store(true)
	w.Must(w.Client.Delete(t.Context(), secretObject("sites")))
	seen := w.LastCall()
	w.Touch(obj)
	last, err := w.WaitCall(t.Context(), seen, created)
	w.Must(err)
	_, err = w.WaitCall(t.Context(), last.N, func(c calls.Call) bool { return c.Operation == "DeleteActivation" })
	w.Must(err)
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
	stuck := w.AwaitActivation(obj, v1alpha1.ReasonSecretNotWritable)
	w.ExpectSentence(scenario.Condition(stuck.Status.Conditions, v1alpha1.ConditionReady).Message, "\"sites\"", "admission denies")
	failing.Store(false)
	w.Touch(obj)
	got := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(got)
	status, err := json.Marshal(got)
	w.Must(err)
	w.AwaitEvent(got, v1alpha1.ReasonSecretNotWritable)
	var events eventsv1.EventList
	w.Must(w.Client.List(t.Context(), &events))
	told, err := json.Marshal(events)
	w.Must(err)
	mu.Lock()
	defer mu.Unlock()
	if len(codes) < 3 {
		t.Errorf("%d codes were made, want three at least", len(codes))
	}
	for code := range codes {
		for what, text := range map[string]string{"the log": log.String(), "an event": string(told), "the status": string(status)} {
			if strings.Contains(text, code) {
				t.Errorf("%s holds a code", what)
			}
		}
	}
	for what, text := range map[string]string{"the log": log.String(), "the status": string(status)} {
		if !strings.Contains(text, got.Status.ActivationID) {
			t.Errorf("%s was not looked at", what)
		}
	}
	if !strings.Contains(string(told), v1alpha1.ReasonSecretNotWritable) {
		t.Error("the events were not looked at")
	}
}
