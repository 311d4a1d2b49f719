package ssm

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

func TestAnEmptyAnswerIsNoListWithoutSessions(t *testing.T) {
	w := newWorldWithNodes(t, func(o *awsclient.Options) {
		o.Base.HTTPClient = &answering{HTTPClient: o.Base.HTTPClient, operation: ".DescribeSessions"}
	})
	w.open(aliceARN, pc01)
	sessions, err := w.region.ActiveSessions(t.Context(), SessionFilter{})
	_ = wantError[*awsclient.EmptyAnswerError](t, err)
	if len(sessions) != 0 || awserr.Classify(err) != awserr.Transport {
		t.Errorf("%d sessions, %s: %v", len(sessions), awserr.Classify(err), err)
	}
}

func TestABlankAnswerIsNoListWithoutSessions(t *testing.T) {
	w := newWorldWithNodes(t, func(o *awsclient.Options) {
		o.Base.HTTPClient = &answering{HTTPClient: o.Base.HTTPClient, operation: ".DescribeSessions", body: "\r\n \n"}
	})
	w.open(aliceARN, pc01)
	sessions, err := w.region.ActiveSessions(t.Context(), SessionFilter{})
	_ = wantError[*awsclient.EmptyAnswerError](t, err)
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
