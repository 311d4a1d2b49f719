package iam

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
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
	return func(o *awsclient.Options) {
		o.Base.HTTPClient = &proxy{HTTPClient: o.Base.HTTPClient, answers: answers}
	}
}

func TestAnEmptyPageIsNoEndOfTheBulkRead(t *testing.T) {
	fixture := emulated.Fixture()
	for i := range pageSize {
		fixture.Accounts[0].Users = append(fixture.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("user%d", i)})
	}
	w := newWorldOf(t, fixture, behindProxy(func(operation string, before int) bool {
		return strings.Contains(operation, "GetAccountAuthorizationDetails") && before > 0
	}))
	_, err := w.cache.Refresh(t.Context())
	_ = wantError[*awsclient.EmptyAnswerError](t, err)
}
