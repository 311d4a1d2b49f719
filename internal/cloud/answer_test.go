package cloud

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// proxy answers some requests itself, with a success and no body.
type proxy struct {
	aws.HTTPClient
	// answers decides which requests, by the operation and the number of such
	// requests before.
	answers func(operation string, before int) bool
	seen    atomic.Int32
}

func (p *proxy) Do(r *http.Request) (*http.Response, error) {
	operation := r.Header.Get("X-Amz-Target")
	if operation == "" && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		operation, r.Body = string(body), io.NopCloser(bytes.NewReader(body))
	}
	if p.answers(operation, int(p.seen.Load())) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	if strings.Contains(operation, "GetAccountAuthorizationDetails") {
		p.seen.Add(1)
	}
	return p.HTTPClient.Do(r)
}

func behindProxy(answers func(string, int) bool) option {
	return func(o *PoolOptions) { o.Base.HTTPClient = &proxy{HTTPClient: o.Base.HTTPClient, answers: answers} }
}

func TestAnEmptyAnswerIsNoListWithoutSessions(t *testing.T) {
	w := newWorldWithNodes(t, behindProxy(func(operation string, _ int) bool { return strings.HasSuffix(operation, ".DescribeSessions") }))
	w.open(aliceARN, pc01)
	sessions, err := w.account.ActiveSessions(t.Context(), testRegion, SessionFilter{})
	_ = wantError[*EmptyAnswerError](t, err)
	if len(sessions) != 0 || Classify(err) != Transport {
		t.Errorf("%d sessions, %s: %v", len(sessions), Classify(err), err)
	}
}

func TestAnEmptyPageIsNoEndOfTheBulkRead(t *testing.T) {
	fixture := testFixture()
	for i := range pageSize {
		fixture.Accounts[0].Users = append(fixture.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("user%d", i)})
	}
	w := newWorldOf(t, fixture, behindProxy(func(operation string, before int) bool {
		return strings.Contains(operation, "GetAccountAuthorizationDetails") && before > 0
	}))
	_, err := w.mirror.Refresh(t.Context())
	_ = wantError[*EmptyAnswerError](t, err)
}

func TestABlankAnswerIsNoListWithoutSessions(t *testing.T) {
	w := newWorldWithNodes(t, func(o *PoolOptions) {
		o.Base.HTTPClient = &answering{HTTPClient: o.Base.HTTPClient, operation: ".DescribeSessions", body: "\r\n \n"}
	})
	w.open(aliceARN, pc01)
	sessions, err := w.account.ActiveSessions(t.Context(), testRegion, SessionFilter{})
	_ = wantError[*EmptyAnswerError](t, err)
	if len(sessions) != 0 {
		t.Errorf("%d sessions", len(sessions))
	}
}

// answering answers one operation itself, with a success and a body of its own.
type answering struct {
	aws.HTTPClient
	operation, body string
}

func (a *answering) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), a.operation) {
		return a.HTTPClient.Do(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}
