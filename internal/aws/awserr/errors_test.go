package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// answered is an error as the SDK's clients give it for an answer of AWS's.
func answered(service, operation string, status int, code, message, requestID string) error {
	return answeredWith(service, operation, status, requestID, &smithy.GenericAPIError{Code: code, Message: message})
}

func answeredWith(service, operation string, status int, requestID string, cause error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: &awshttp.ResponseError{
		RequestID: requestID,
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      cause,
		},
	}}
}

func iamError(status int, code string) error {
	return answered("IAM", "CreatePolicy", status, code, "a message", "a-request-id")
}

func TestErrorsAreClassifiedByCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want awserr.Class
	}{
		{nil, awserr.None},
		{iamError(400, "Throttling"), awserr.Throttled},
		{iamError(409, "ConcurrentModification"), awserr.Throttled},
		{answered("SSM", "UpdateDocument", 400, "TooManyUpdates", "", ""), awserr.Throttled},
		{answered("EC2", "DescribeInstances", 503, "RequestLimitExceeded", "", ""), awserr.Throttled},
		{iamError(429, "NeverHeardOf"), awserr.Throttled},
		{answeredWith("IAM", "CreatePolicy", 429, "r", &smithy.DeserializationError{Err: errors.New("not XML")}), awserr.Throttled},
		{answeredWith("IAM", "CreatePolicy", 403, "r", &smithy.DeserializationError{Err: errors.New("not XML")}), awserr.Transport},
		{iamError(403, "AccessDenied"), awserr.Refused},
		{answered("SSM", "DescribeSessions", 400, "AccessDeniedException", "", ""), awserr.Refused},
		{answered("EC2", "DescribeInstances", 403, "UnauthorizedOperation", "", ""), awserr.Refused},
		{iamError(403, "InvalidClientTokenId"), awserr.Refused},
		{iamError(403, "ExpiredToken"), awserr.Refused},
		{iamError(409, "LimitExceeded"), awserr.Invalid},
		{iamError(400, "MalformedPolicyDocument"), awserr.Invalid},
		{iamError(400, "UnmodifiableEntity"), awserr.Invalid},
		{iamError(400, "NeverHeardOf"), awserr.Invalid},
		{iamError(404, "NoSuchEntity"), awserr.Missing},
		{iamError(409, "EntityAlreadyExists"), awserr.Conflict},
		{iamError(409, "DeleteConflict"), awserr.Conflict},
		{iamError(409, "EntityTemporarilyUnmodifiable"), awserr.Waiting},
		{iamError(500, "ServiceFailure"), awserr.Transport},
		{iamError(503, "NeverHeardOf"), awserr.Transport},
		{iamError(400, "UnknownError"), awserr.Transport},
		{&smithy.OperationError{ServiceID: "IAM", OperationName: "GetUser", Err: errors.New("connection reset")}, awserr.Transport},
		{fmt.Errorf("waiting: %w", context.Canceled), awserr.Canceled},
		{fmt.Errorf("waiting: %w", context.DeadlineExceeded), awserr.Canceled},
		{&awserr.TimeoutError{After: time.Second}, awserr.Transport},
		{&iam.NotOwnedError{Name: "x"}, awserr.Invalid},
		{&awserr.WrongAccountError{}, awserr.Refused},
		{&iam.NameTakenError{}, awserr.Conflict},
		{&iam.MissingPrincipalError{}, awserr.Missing},
		{&iam.PolicyGoneError{}, awserr.Waiting},
		{&iam.SettlingError{}, awserr.Waiting},
		{&iam.ImplausibleAnswerError{}, awserr.Transport},
		{&awserr.CredentialsError{Err: errors.New("no EC2 IMDS role found")}, awserr.Refused},
		{&awserr.CredentialsError{Err: answered("STS", "AssumeRole", 403, "AccessDenied", "", "")}, awserr.Refused},
		{&awserr.CredentialsError{Err: &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: errors.New("dial")}}, awserr.Transport},
	} {
		wrapped := c.err
		if c.err != nil {
			wrapped = fmt.Errorf("doing this: %w", &awserr.Error{Attempted: "doing that", Err: c.err})
		}
		if got := awserr.Classify(wrapped); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
}

func TestActionIsThatOfTheInnermostCall(t *testing.T) {
	assume := answered("STS", "AssumeRole", 403, "AccessDenied", "", "")
	outer := &smithy.OperationError{ServiceID: "IAM", OperationName: "GetUser", Err: &awserr.CredentialsError{Err: assume}}
	for want, err := range map[string]error{
		"iam:CreatePolicy": iamError(403, "AccessDenied"),
		"sts:AssumeRole":   outer,
		"":                 errors.New("something else"),
	} {
		if got := awserr.Action(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("action %q, want %q", got, want)
		}
	}
}

func TestUserMessagesSayWhatIsWrongAndWhatToDo(t *testing.T) {
	attempt := func(err error) error {
		return &awserr.Error{Attempted: `creating policy "x"`, AccountID: "488821267897", Identity: "arn:aws:iam::1:role/op", Err: err}
	}
	for want, err := range map[string]error{
		"": nil,
		`AWS refused iam:CreatePolicy (AccessDenied) for creating policy "x": allow that action to arn:aws:iam::1:role/op.`: attempt(iamError(403, "AccessDenied")),
		`AWS refused iam:CreatePolicy (AccessDenied): allow that action to the operator's identity.`:                        iamError(403, "AccessDenied"),
		`AWS does not accept the credentials used for iam:CreatePolicy (ExpiredToken) for creating policy "x": ` +
			`check the credentials that the operator runs with, and the clock of its node.`: attempt(iamError(403, "ExpiredToken")),
		`iam:CreatePolicy (LimitExceeded) for creating policy "x" would exceed a quota of the account: have the quota raised or declare less.`: attempt(iamError(409, "LimitExceeded")),
		`AWS limits the rate of iam:CreatePolicy (Throttling): the operator goes slower and tries again.`:                                      iamError(400, "Throttling"),
		`User "alice" does not exist.`:                   attempt(&iam.MissingPrincipalError{Principal: iam.Principal{Kind: iam.User, Name: "alice"}}),
		`The credentials belong to account 2, not to 1.`: &awserr.WrongAccountError{Want: "1", Got: "2"},
		`There are no AWS credentials for iam:GetUser: give the operator's pod or process credentials.`: &smithy.OperationError{
			ServiceID: "IAM", OperationName: "GetUser", Err: &awserr.CredentialsError{Err: errors.New("the configuration has none")},
		},
		`AWS gave no answer to iam:GetUser: the operator tries again; check the network and the endpoint if it lasts.`: &smithy.OperationError{
			ServiceID: "IAM", OperationName: "GetUser", Err: &awserr.TimeoutError{After: time.Second},
		},
		`Waiting for another refresh was broken off.`: context.Canceled,
	} {
		if errors.Is(err, context.Canceled) {
			err = &awserr.Error{Attempted: "waiting for another refresh", Err: err}
		}
		if got := awserr.UserMessage(err); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestUserMessagesAreTheSameWhateverAWSSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.IntRange(400, 599).Draw(t, "status")
		code := rapid.SampledFrom([]string{"AccessDenied", "Throttling", "NoSuchEntity", "LimitExceeded", "ServiceFailure", "ExpiredToken", "X"}).Draw(t, "code")
		message := func(label string) string {
			text := rapid.StringMatching(`[a-f0-9-]{8,36}`)
			return awserr.UserMessage(&awserr.Error{Attempted: "doing that", Err: answered(
				"IAM", "GetUser", status, code, text.Draw(t, label+" message"), text.Draw(t, label+" request"))})
		}
		if code == "X" { // With a lower status it is invalid, and AWS's words are shown.
			status = 500 + status%100
		}
		one, other := message("one"), message("other")
		if one != other {
			t.Fatalf("two messages for one failure:\n%s\n%s", one, other)
		}
		if !strings.HasSuffix(one, ".") || strings.ToUpper(one[:1]) != one[:1] && !strings.HasPrefix(one, "iam:") {
			t.Fatalf("not a sentence: %s", one)
		}
	})
}

func TestWhatIsInvalidIsSaidInAWSsWords(t *testing.T) {
	said := func(message, requestID string) string {
		return awserr.UserMessage(answered("SSM", "CreateDocument", 400, "InvalidDocumentContent", message, requestID))
	}
	for message, want := range map[string]string{
		"":                       `AWS does not accept ssm:CreateDocument (InvalidDocumentContent).`,
		"JSON not well-formed.":  `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "JSON not well-formed".`,
		"one\n two\t\x00three. ": `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "one two three".`,
		"bad (Service: Ssm; Status Code: 400; Request ID: 1-2; Proxy: null)": `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "bad".`,
		"bad, RequestId: ab-12.":      `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "bad".`,
		"key 1234abcd-12ab is no key": `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "key 1234abcd-12ab is no key".`,
		strings.Repeat("é", 1000):     `AWS does not accept ssm:CreateDocument (InvalidDocumentContent): "` + strings.Repeat("é", 299) + `…".`,
	} {
		if got := said(message, "a-request-id"); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", message, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-f0-9-]{8,36}`)
		form := rapid.SampledFrom([]string{"it is bad (Request ID: %s)", "it is bad; request-id %s", "Request ID: %s it is bad", "it is bad (Service: A; Request ID: %s)", "it is bad. x-amzn-RequestId: %s"}).Draw(t, "form")
		a, b := id.Draw(t, "one"), id.Draw(t, "other")
		if one, other := said(fmt.Sprintf(form, a), a), said(fmt.Sprintf(form, b), b); one != other || !strings.Contains(one, "it is bad") {
			t.Fatalf("two messages for one failure:\n%s\n%s", one, other)
		}
	})
}
