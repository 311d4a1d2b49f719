package awsclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	"github.com/go-logr/logr"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// retryMiddleware is the id of the SDK's middleware that repeats attempts:
// what is inserted after it runs once an attempt, before the request is signed.
const retryMiddleware = "Retry"

// sentOnce are the operations whose requests the SDK must never repeat on its
// own, because each request creates another resource.
var sentOnce = map[string]bool{"CreateActivation": true}

// finalError keeps the SDK from retrying.
type finalError struct{ error }

func (e finalError) Unwrap() error      { return e.error }
func (finalError) RetryableError() bool { return false }

// instruments are the middlewares that every client of an account carries.
type instruments struct {
	accountID string
	service   string
	limiterOf func(operation, region string) *limiter
	timeout   time.Duration
	onCall    func(Call)
	guards    []Guard
	logger    logr.Logger
	// rejected is called when AWS does not accept the credentials, or no
	// longer.
	rejected func()
}

// install is an APIOption of the SDK's clients.
func (i instruments) install(stack *middleware.Stack) error {
	if err := stack.Initialize.Add(
		middleware.InitializeMiddlewareFunc("ObserveCall", i.observe), middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(
		middleware.FinalizeMiddlewareFunc("AdmitAttempt", i.attempt), retryMiddleware, middleware.After)
}

// observe measures and logs the whole call.
func (i instruments) observe(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	began := time.Now()
	out, metadata, err := next.HandleInitialize(ctx, in)
	call := Call{
		AccountID: i.accountID,
		Service:   i.service,
		Operation: awsmiddleware.GetOperationName(ctx),
		Code:      awserr.CodeOrClass(err),
		Duration:  time.Since(began),
	}
	if attempts, ok := retry.GetAttemptResults(metadata); ok {
		call.Attempts = len(attempts.Results)
	}
	if i.onCall != nil {
		i.onCall(call)
	}
	i.log(ctx, call, metadata)
	return out, metadata, err
}

func (i instruments) log(ctx context.Context, call Call, metadata middleware.Metadata) {
	logger, err := logr.FromContext(ctx)
	if err != nil {
		logger = i.logger
	}
	if logger = logger.V(1); !logger.Enabled() {
		return
	}
	requestID, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	logger.Info("Called AWS",
		"account", call.AccountID, "service", call.Service, "operation", call.Operation,
		"code", call.Code, "duration", call.Duration, "attempts", call.Attempts, "requestID", requestID)
}

// attempt runs once a request: it waits for the limiter, asks the guards, bounds
// the time the request may take, and takes note of throttling and of rejected
// credentials.
func (i instruments) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	limiter := i.limiterOf(awsmiddleware.GetOperationName(ctx), awsmiddleware.GetRegion(ctx))
	if err := limiter.wait(ctx); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("waiting for the rate limiter: %w", err)
	}
	if err := i.mayWrite(awsmiddleware.GetOperationName(ctx)); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	out, metadata, err := next.HandleFinalize(bounded, in)
	if err == nil {
		return out, metadata, nil
	}
	if ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		err = &awserr.TimeoutError{After: i.timeout}
	}
	if awserr.IsThrottling(err) {
		limiter.throttled()
	}
	if awserr.IsRejectedCredentials(err) {
		i.rejected()
	}
	if sentOnce[awsmiddleware.GetOperationName(ctx)] {
		err = finalError{err}
	}
	return out, metadata, err
}
