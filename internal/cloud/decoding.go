package cloud

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"
)

const (
	// decoders is how many pages of bulk reads are decoded at once, in all accounts
	// together: a page of 1,000 policies takes some megabytes until it is taken in.
	decoders = 2
	// decoderHold is how long a page keeps its place. One whose body stops coming
	// gives it up, so that its account delays no other.
	decoderHold = 2 * time.Second
)

// decoding bounds the memory of the bulk reads. A request has a place only once its
// answer has begun: an account that does not answer takes none.
type decoding chan struct{}

func newDecoding() decoding { return make(decoding, decoders) }

// option makes a call of the IAM client wait for a place before it is decoded.
func (d decoding) option(o *iam.Options) { o.APIOptions = append(o.APIOptions, d.install) }

// install is an APIOption of the SDK's clients. It is called for each call.
func (d decoding) install(stack *middleware.Stack) error {
	leave := func() {}
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LeaveDecoding", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		leave()
		return out, metadata, err
	}), middleware.Before); err != nil {
		return err
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("EnterDecoding", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if err == nil {
			leave, err = d.enter(ctx)
		}
		return out, metadata, err
	}), middleware.After)
}

// enter waits for a place. leave gives it up, and may be called more than once.
func (d decoding) enter(ctx context.Context) (leave func(), err error) {
	select {
	case d <- struct{}{}:
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
	give := sync.OnceFunc(func() { <-d })
	timer := time.AfterFunc(decoderHold, give)
	return func() { timer.Stop(); give() }, nil
}
