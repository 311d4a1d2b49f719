package scenario

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
)

// HoldCalls keeps calls waiting until they are released.
func (w World) HoldCalls(all ...faults.Fault) (ids []string) {
	w.T.Helper()
	for _, f := range all {
		f.Kind = faults.Hold
		id, err := w.Emulator.Inject(f)
		w.Must(err)
		ids = append(ids, id)
	}
	return ids
}

// ReleaseCalls lets held calls go.
func (w World) ReleaseCalls(ids []string) {
	for _, id := range ids {
		w.Emulator.RemoveFault(id)
	}
}

// Endless is longer than any test: a call that hangs does not return by itself.
const Endless = 10 * time.Minute

// HasFired reports whether a fault has struck.
func (w World) HasFired(fault string) bool {
	return slices.ContainsFunc(w.Emulator.Faults(), func(f faults.Status) bool { return f.ID == fault && f.Fired > 0 })
}

// OtherRegion is a second region.
const OtherRegion = "eu-west-1"

// RegionGate answers AccessDeniedException to an operation of SSM in a region, as a
// service control policy would.
type RegionGate struct {
	Region    string
	mu        sync.Mutex
	operation string
}

// Refuse has an operation refused from now on.
func (g *RegionGate) Refuse(operation string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.operation = operation
}

func (g *RegionGate) refuses(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.operation != "" && strings.Contains(r.Header.Get("Authorization"), "/"+g.Region+"/ssm/") &&
		strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+g.operation)
}

// RoundTrip refuses the request or sends it.
func (g *RegionGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.refuses(r) {
		return http.DefaultTransport.RoundTrip(r)
	}
	text := `{"__type":"AccessDeniedException","message":"explicit deny in a service control policy"}`
	return &http.Response{
		StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Errortype": {"AccessDeniedException"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}

// InTwoRegions makes an AWSAccount span OtherRegion and the tests' region.
func InTwoRegions(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{OtherRegion, Region} }
