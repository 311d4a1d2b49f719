package awsclient

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// NewHTTPClient is an HTTP client for the configuration that the SDK loads. Each
// of its requests ends within DefaultAttemptTimeout. The calls of an Account are
// bounded anyway; those that fetch the operator's own credentials are not, and one
// that hangs would keep every account waiting.
func NewHTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(DefaultAttemptTimeout)
}

// plainBody sends requests whose body offers Read and Close alone.
//
// The SDK closes a request's body as soon as the answer's head is there, and
// its body then answers a late WriteTo with an error (smithy-go 1.28,
// transport/http/internal/io). When net/http's writer comes to look for the
// end of the body only then, it takes that for a broken connection and tears
// down the answer that is being read: a write that AWS carried out would look
// lost. Read answers the end of the body instead.
type plainBody struct{ client aws.HTTPClient }

// withPlainBody wraps a client; nil means the SDK's own.
func withPlainBody(client aws.HTTPClient) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return plainBody{client: client}
}

// Do implements aws.HTTPClient.
func (p plainBody) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return p.client.Do(request)
}
