package awsemulator

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// errDropped means that the connection is cut instead of answered.
var errDropped = errors.New("the connection is cut")

const xmlContent = "text/xml"

// writeAnswer writes an output or an error in the protocol of the service.
func writeAnswer(ctx context.Context, w http.ResponseWriter, x *exchange, out any, err error) {
	status, contentType, body := http.StatusOK, xmlContent, []byte(nil)
	dialect := wire.IAM
	if x.service != nil {
		dialect = x.service.Dialect
	}
	if dialect == nil {
		contentType = wire.JSONContent
	}
	raw, isRaw := out.(*wire.Raw)
	if err == nil && dialect == nil && !isRaw {
		body, err = wire.EncodeJSON(ctx, out.(smithy.Serializable))
	}
	failure := asWireError(err)
	switch {
	case failure == nil && isRaw:
		status, contentType, body = cmp.Or(raw.Status, status), raw.ContentType, raw.Body
		setHeaders(w, raw.Header)
	case failure == nil && dialect == nil:
	case failure == nil:
		body = dialect.EncodeAnswer(x.operation, x.request.ID, out)
	case dialect == nil:
		status, body = failure.Status, wire.EncodeJSONError(failure)
	default:
		status, body = failure.Status, dialect.EncodeError(x.request.ID, failure)
	}
	if failure != nil {
		setHeaders(w, failure.Header)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", x.request.ID)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A client that has gone away is no concern of the server's.
	_, _ = w.Write(body)
}

func setHeaders(w http.ResponseWriter, headers map[string]string) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
}

// asWireError makes any error one that AWS could answer; what is none of
// AWS's is a fault of the emulator and says so.
func asWireError(err error) *wire.Error {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*wire.Error](err); ok {
		return failure
	}
	return wire.Errorf(500, "EmulatorFault", "The emulator failed: %v", err)
}

func codeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errDropped):
		return "Dropped"
	default:
		return asWireError(err).Code
	}
}
