package cloud

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// outcome is the possible effect of one write.
type outcome struct {
	// began is before the first request was sent, ended after the last answer.
	began, ended instant
	// acked: AWS answered that it is so.
	acked bool
	// doubtful: a request went out whose effect, if any, is not known. It may
	// be true along with acked, when the first attempt was lost and a later
	// one answered.
	doubtful bool
}

// effect watches the attempts of one write for requests of unknown effect.
type effect struct{ doubtful bool }

// option makes a call of the IAM client watched.
func (e *effect) option(o *iam.Options) { o.APIOptions = append(o.APIOptions, e.watch) }

// ssmOption makes a call of an SSM client watched.
func (e *effect) ssmOption(o *ssm.Options) { o.APIOptions = append(o.APIOptions, e.watch) }

// watch is an APIOption of the SDK's clients.
func (e *effect) watch(stack *middleware.Stack) error {
	var sent bool
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("WatchTransport", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		sent = !neverSent(err)
		return out, metadata, err
	}), middleware.After); err != nil {
		return err
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("WatchAttempt", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		sent = false
		out, metadata, err := next.HandleFinalize(ctx, in)
		if err != nil && sent && !declined(err) {
			e.doubtful = true
		}
		return out, metadata, err
	}), retryMiddleware, middleware.After)
}

// neverSent reports whether the error shows that no byte of the request was
// sent: no connection was established.
func neverSent(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == "dial"
}

// declined reports whether AWS answered that it did not do what was asked. An
// answer of a proxy on the way, or of a failing service, says no such thing.
func declined(err error) bool {
	answer, answered := errors.AsType[*smithyhttp.ResponseError](err)
	api, coded := errors.AsType[smithy.APIError](err)
	if !answered || !coded {
		return false
	}
	status := answer.HTTPStatusCode()
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && api.ErrorCode() != unknownCode
}
