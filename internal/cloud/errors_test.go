package cloud

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
)

// answered is an error as the SDK's clients give it for an answer of AWS's.
func answered(service, operation string, status int, code, message, requestID string) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: &awshttp.ResponseError{
		RequestID: requestID,
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		},
	}}
}

func iamError(status int, code string) error {
	return answered("IAM", "CreatePolicy", status, code, "a message", "a-request-id")
}

func TestErrorsAreClassifiedByCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Class
	}{
		{nil, None},
		{iamError(400, "Throttling"), Throttled},
		{iamError(409, "ConcurrentModification"), Throttled},
		{answered("SSM", "UpdateDocument", 400, "TooManyUpdates", "", ""), Throttled},
		{answered("EC2", "DescribeInstances", 503, "RequestLimitExceeded", "", ""), Throttled},
		{iamError(403, "AccessDenied"), Refused},
		{answered("SSM", "DescribeSessions", 400, "AccessDeniedException", "", ""), Refused},
		{answered("EC2", "DescribeInstances", 403, "UnauthorizedOperation", "", ""), Refused},
		{iamError(403, "InvalidClientTokenId"), Refused},
		{iamError(403, "ExpiredToken"), Refused},
		{iamError(409, "LimitExceeded"), Invalid},
		{iamError(400, "MalformedPolicyDocument"), Invalid},
		{iamError(400, "UnmodifiableEntity"), Invalid},
		{iamError(400, "NeverHeardOf"), Invalid},
		{iamError(404, "NoSuchEntity"), Missing},
		{iamError(409, "EntityAlreadyExists"), Conflict},
		{iamError(409, "DeleteConflict"), Conflict},
		{iamError(409, "EntityTemporarilyUnmodifiable"), Waiting},
		{iamError(500, "ServiceFailure"), Transport},
		{iamError(503, "NeverHeardOf"), Transport},
		{iamError(400, "UnknownError"), Transport},
		{&smithy.OperationError{ServiceID: "IAM", OperationName: "GetUser", Err: errors.New("connection reset")}, Transport},
		{fmt.Errorf("waiting: %w", context.Canceled), Canceled},
		{fmt.Errorf("waiting: %w", context.DeadlineExceeded), Canceled},
		{&TimeoutError{After: time.Second}, Transport},
		{&NotOursError{Name: "x"}, Invalid},
		{&WrongAccountError{}, Refused},
		{&NameTakenError{}, Conflict},
		{&MissingPrincipalError{}, Missing},
		{&PolicyGoneError{}, Waiting},
		{&SettlingError{}, Waiting},
		{&ImplausibleAnswerError{}, Transport},
		{&CredentialsError{Err: errors.New("no EC2 IMDS role found")}, Refused},
		{&CredentialsError{Err: answered("STS", "AssumeRole", 403, "AccessDenied", "", "")}, Refused},
		{&CredentialsError{Err: &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: errors.New("dial")}}, Transport},
	} {
		wrapped := c.err
		if c.err != nil {
			wrapped = fmt.Errorf("doing this: %w", &Error{Attempted: "doing that", Err: c.err})
		}
		if got := Classify(wrapped); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
}

func TestActionIsThatOfTheInnermostCall(t *testing.T) {
	assume := answered("STS", "AssumeRole", 403, "AccessDenied", "", "")
	outer := &smithy.OperationError{ServiceID: "IAM", OperationName: "GetUser", Err: &CredentialsError{Err: assume}}
	for want, err := range map[string]error{
		"iam:CreatePolicy": iamError(403, "AccessDenied"),
		"sts:AssumeRole":   outer,
		"":                 errors.New("something else"),
	} {
		if got := Action(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("action %q, want %q", got, want)
		}
	}
}

func TestSentencesSayWhatIsWrongAndWhatToDo(t *testing.T) {
	attempt := func(err error) error {
		return &Error{Attempted: `creating policy "x"`, AccountID: testAccount, Identity: "arn:aws:iam::1:role/op", Err: err}
	}
	for want, err := range map[string]error{
		"": nil,
		`AWS refused iam:CreatePolicy (AccessDenied) for creating policy "x": allow that action to arn:aws:iam::1:role/op.`: attempt(iamError(403, "AccessDenied")),
		`AWS refused iam:CreatePolicy (AccessDenied): allow that action to the operator's identity.`:                        iamError(403, "AccessDenied"),
		`AWS does not accept the credentials used for iam:CreatePolicy (ExpiredToken) for creating policy "x": ` +
			`check the credentials that the operator runs with.`: attempt(iamError(403, "ExpiredToken")),
		`iam:CreatePolicy (LimitExceeded) for creating policy "x" would exceed a quota of the account: have the quota raised or declare less.`: attempt(iamError(409, "LimitExceeded")),
		`AWS limits the rate of iam:CreatePolicy (Throttling): the operator goes slower and tries again.`:                                      iamError(400, "Throttling"),
		`User "alice" does not exist.`:                   attempt(&MissingPrincipalError{Principal: alice}),
		`The credentials belong to account 2, not to 1.`: &WrongAccountError{Want: "1", Got: "2"},
		`There are no AWS credentials for iam:GetUser: give the operator's pod or process credentials.`: &smithy.OperationError{
			ServiceID: "IAM", OperationName: "GetUser", Err: &CredentialsError{Err: errNoCredentials},
		},
		`AWS gave no answer to iam:GetUser: the operator tries again; check the network and the endpoint if it lasts.`: &smithy.OperationError{
			ServiceID: "IAM", OperationName: "GetUser", Err: &TimeoutError{After: time.Second},
		},
		`Waiting for another refresh was broken off.`: context.Canceled,
	} {
		if errors.Is(err, context.Canceled) {
			err = &Error{Attempted: "waiting for another refresh", Err: err}
		}
		if got := Sentence(err); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestSentencesAreTheSameWhateverAWSSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.IntRange(400, 599).Draw(t, "status")
		code := rapid.SampledFrom([]string{"AccessDenied", "Throttling", "NoSuchEntity", "LimitExceeded", "ServiceFailure", "ExpiredToken", "X"}).Draw(t, "code")
		sentence := func(label string) string {
			text := rapid.StringMatching(`[a-f0-9-]{8,36}`)
			return Sentence(&Error{Attempted: "doing that", Err: answered(
				"IAM", "GetUser", status, code, text.Draw(t, label+" message"), text.Draw(t, label+" request"))})
		}
		one, other := sentence("one"), sentence("other")
		if one != other {
			t.Fatalf("two sentences for one failure:\n%s\n%s", one, other)
		}
		if !strings.HasSuffix(one, ".") || strings.ToUpper(one[:1]) != one[:1] && !strings.HasPrefix(one, "iam:") {
			t.Fatalf("not a sentence: %s", one)
		}
	})
}
