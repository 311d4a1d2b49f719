package awsclient

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

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// WriteEffect watches the attempts of one write for requests of unknown effect.
// The zero value is for one call.
type WriteEffect struct{ unknown bool }

// Unknown reports whether a request was sent whose effect, if any, is not known.
// That may be so although the call succeeded: when the first attempt was lost and
// a later one was answered.
func (e *WriteEffect) Unknown() bool { return e.unknown }

// IAM makes a call of the IAM client watched.
func (e *WriteEffect) IAM(o *iam.Options) { o.APIOptions = append(o.APIOptions, e.watch) }

// SSM makes a call of an SSM client watched.
func (e *WriteEffect) SSM(o *ssm.Options) { o.APIOptions = append(o.APIOptions, e.watch) }

// watch is an APIOption of the SDK's clients.
func (e *WriteEffect) watch(stack *middleware.Stack) error {
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
			e.unknown = true
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
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && api.ErrorCode() != awserr.CodeUnknown
}
