package awserr

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Class determines how the operator handles a failed call.
type Class string

// The classes of errors.
const (
	// None: there is no error.
	None Class = ""
	// Waiting: nothing is wrong; what is needed is not there yet.
	Waiting Class = "Waiting"
	// Throttled: AWS asks for patience; the limiter has taken note.
	Throttled Class = "Throttled"
	// Refused: the operator's identity lacks a permission, or AWS does not
	// accept its credentials, or there are none.
	Refused Class = "Refused"
	// Invalid: AWS does not accept what was asked, a quota included.
	Invalid Class = "Invalid"
	// Missing: what the call names does not exist.
	Missing Class = "Missing"
	// Conflict: it exists already, or is in use.
	Conflict Class = "Conflict"
	// Transport: no answer, or a failure on AWS's side.
	Transport Class = "Transport"
	// Canceled: the caller's context ended.
	Canceled Class = "Canceled"
)

// Error codes of AWS that callers act upon.
const (
	CodeNoSuchEntity   = "NoSuchEntity"
	CodeEntityExists   = "EntityAlreadyExists"
	CodeDeleteConflict = "DeleteConflict"
	CodeLimitExceeded  = "LimitExceeded"
	// CodeUnknown is the SDK's own, for an answer without a code.
	CodeUnknown = "UnknownError"
)

// ConflictingWrites are the codes with which AWS rejects a write because
// another write is in progress. The SDK is configured to retry these too, as throttling.
var ConflictingWrites = map[string]struct{}{
	"ConcurrentModification":          {},
	"ConcurrentModificationException": {},
	"TooManyUpdates":                  {},
}

// codesByClass holds every code whose class does not follow from its HTTP
// status. A code that is not listed is Throttled when 429, Transport when 5xx, else
// Invalid.
var codesByClass = map[Class][]string{
	Waiting: {"EntityTemporarilyUnmodifiable"},
	Refused: append([]string{
		"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess",
		"OptInRequired", "SubscriptionRequiredException", "RegionDisabledException",
	}, credentialCodes...),
	Missing: {
		CodeNoSuchEntity, "DoesNotExistException", "InvalidDocument", "InvalidInstanceId",
		"InvalidInstanceID.NotFound", "InvalidActivation", "InvalidActivationId", "InvalidResourceId",
		"ServiceSettingNotFound",
	},
	Conflict: {
		CodeEntityExists, CodeDeleteConflict, "DocumentAlreadyExists", "InvalidDocumentOperation",
	},
	Transport: {
		CodeUnknown, "ServiceFailure", "ServiceUnavailable", "ServiceUnavailableException",
		"InternalFailure", "InternalError", "InternalServerError", "RequestTimeout", "RequestTimeoutException",
		"Unavailable",
	},
}

// credentialCodes say that the credentials themselves are not accepted.
var credentialCodes = []string{
	"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
	"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
	"ExpiredToken", "ExpiredTokenException", "RequestExpired", "MissingAuthenticationToken",
	"MissingAuthenticationTokenException", "InvalidIdentityToken", "IDPRejectedClaim",
}

// classByCode is codesByClass turned round, with what the SDK holds for
// throttling.
var classByCode = func() map[string]Class {
	classes := map[string]Class{}
	for class, codes := range codesByClass {
		for _, code := range codes {
			classes[code] = class
		}
	}
	throttled := maps.Clone(retry.DefaultThrottleErrorCodes)
	maps.Copy(throttled, ConflictingWrites)
	for code := range throttled {
		classes[code] = Throttled
	}
	return classes
}()

// Classify returns the class of an error of the operator's or of the SDK. It uses
// AWS's error code and the HTTP status, never the text.
func Classify(err error) Class {
	if err == nil {
		return None
	}
	if own, ok := errors.AsType[Classified](err); ok {
		return own.Class()
	}
	if code := Code(err); code != "" {
		return classifyCode(code, err)
	}
	if status(err) == http.StatusTooManyRequests {
		return Throttled
	}
	if _, timeout := errors.AsType[*TimeoutError](err); timeout {
		return Transport
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	if noCredentials, ok := errors.AsType[*CredentialsError](err); ok {
		if _, asked := errors.AsType[*smithy.OperationError](noCredentials.Err); !asked {
			return Refused // no request was made: there is no source of credentials
		}
	}
	return Transport
}

func classifyCode(code string, err error) Class {
	if class, ok := classByCode[code]; ok {
		return class
	}
	switch status := status(err); {
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= http.StatusInternalServerError:
		return Transport
	}
	return Invalid
}

// status is the HTTP status of AWS's answer; zero when there was none.
func status(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// Code is AWS's error code, such as "NoSuchEntity"; "" when AWS gave none.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// CodeOrClass is the code for metrics: AWS's, else the class.
func CodeOrClass(err error) string {
	if code := Code(err); code != "" {
		return code
	}
	return string(Classify(err))
}

// IsThrottling reports whether AWS rejected a request because there were too many.
func IsThrottling(err error) bool { return Classify(err) == Throttled }

var isCredentialCode = func() map[string]bool {
	set := map[string]bool{}
	for _, code := range credentialCodes {
		set[code] = true
	}
	return set
}()

// IsRejectedCredentials reports whether AWS rejects the credentials: deleting and
// recreating a role invalidates the credentials of the old one.
func IsRejectedCredentials(err error) bool { return isCredentialCode[Code(err)] }
