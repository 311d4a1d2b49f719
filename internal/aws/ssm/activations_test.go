package ssm

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

// failing answers every request of one operation with HTTP 500.
type failing struct {
	aws.HTTPClient
	target string
	count  *atomic.Int32
}

func (f failing) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != f.target {
		return f.HTTPClient.Do(r)
	}
	f.count.Add(1)
	return &http.Response{
		StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"InternalServerError"}`)), Request: r,
	}, nil
}

func TestActivationIsNeverRequestedTwiceInOneCall(t *testing.T) {
	t.Parallel()
	var count atomic.Int32
	w := newWorldOf(t, emulated.Fixture(), func(o *awsclient.Options) {
		o.Base.HTTPClient = failing{o.Base.HTTPClient, "AmazonSSM.CreateActivation", &count}
	})
	clients, err := w.account.Clients(t.Context())
	w.must(err)
	_, err = clients.SSM(testRegion).CreateActivation(t.Context(), &ssm.CreateActivationInput{IamRole: aws.String("node")})
	if awserr.Classify(err) != awserr.Transport || count.Load() != 1 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
}
