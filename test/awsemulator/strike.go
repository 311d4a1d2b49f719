package awsemulator

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// before lets the faults strike that come before a call's effect.
func (s *Server) before(x *exchange, struck []faults.Struck) error {
	for _, f := range struck {
		s.calls.Update(x.call, func(c *calls.Call) { c.Fault = f.ID })
		s.runFaulted(x.call)
		switch f.Kind {
		case faults.Latency:
			if !waitFor(x, time.Duration(f.Latency), f.Released) {
				return errDropped
			}
		case faults.Hold:
			if !waitFor(x, 0, f.Released) {
				return errDropped
			}
		case faults.Drop:
			return errDropped
		case faults.Throttle:
			return throttled(x.service.Name)
		case faults.ServerError:
			return internalError(x.service.Name)
		case faults.Unavailable:
			return wire.Errorf(503, "ServiceUnavailable", "The service is unavailable. Please try again shortly.")
		case faults.AccessDenied:
			return refused(x)
		case faults.Error:
			status := f.Status
			if status == 0 {
				status = 400
			}
			return wire.Errorf(status, f.Code, "%s", f.Message)
		default: // comes after the effect
		}
	}
	return nil
}

// after lets the faults strike that come after a call's effect.
func (s *Server) after(x *exchange, struck []faults.Struck) error {
	for _, f := range struck {
		switch f.Kind {
		case faults.DropAfter:
			return errDropped
		case faults.ErrorAfter:
			return internalError(x.service.Name)
		case faults.HoldAfter:
			if !waitFor(x, 0, f.Released) {
				return errDropped
			}
		default: // came before the effect
		}
	}
	return nil
}

// waitFor waits for a time, for ever when it is 0, but no longer than until
// the fault is removed. It reports false when the client has gone away.
func waitFor(x *exchange, d time.Duration, released <-chan struct{}) bool {
	var elapsed <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-elapsed:
		return true
	case <-released:
		return true
	case <-x.http.Context().Done():
		return false
	}
}

func throttled(service string) error {
	switch service {
	case "ssm", "kms", "logs":
		return wire.Errorf(400, "ThrottlingException", "Rate exceeded")
	case "s3":
		return wire.Errorf(503, "SlowDown", "Please reduce your request rate.")
	case "ec2":
		return wire.Errorf(503, "RequestLimitExceeded", "Request limit exceeded.")
	default:
		return wire.Errorf(400, "Throttling", "Rate exceeded")
	}
}

func internalError(service string) error {
	switch service {
	case "iam":
		return wire.Errorf(500, "ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.")
	case "ssm":
		return wire.Errorf(500, "InternalServerError", "An error occurred on the server side.")
	case "kms":
		return wire.Errorf(500, "KMSInternalException", "The request was rejected because an internal exception occurred. The request can be retried.")
	case "ec2", "s3":
		return wire.Errorf(500, "InternalError", "An internal error has occurred.")
	default:
		return wire.Errorf(500, "InternalFailure", "An internal error has occurred.")
	}
}

func refused(x *exchange) error {
	code, status := "AccessDenied", 403
	switch {
	case x.service.Dialect == nil:
		code, status = "AccessDeniedException", 400
	case x.service.Name == "ec2":
		code = "UnauthorizedOperation"
	}
	return wire.Errorf(status, code, "User: %s is not authorized to perform: %s:%s with an explicit deny", x.request.Caller.ARN, x.service.Name, x.operation)
}
