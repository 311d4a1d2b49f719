package nodeagent

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// maxAnswer is more than any answer to an agent has.
const maxAnswer = 1 << 20

type signer func(r *http.Request, body []byte) error

// call calls an operation of SSM that the SDK leaves out. An error of AWS is a
// smithy.APIError.
func (o Options) call(ctx context.Context, operation string, in any, sign signer, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write %s: %w", operation, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make %s: %w", operation, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonSSM."+operation)
	status, answer, err := o.send(r, body, sign)
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	if status != http.StatusOK {
		var failure struct{ Type, Message string }
		var named struct {
			Type string `json:"__type"`
		}
		_ = json.Unmarshal(answer, &failure) // Whatever is missing stays empty.
		_ = json.Unmarshal(answer, &named)
		return fmt.Errorf("call %s: %w", operation, &smithy.GenericAPIError{Code: named.Type, Message: failure.Message})
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer to %s: %w", operation, err)
	}
	return nil
}

// createChannel asks for a token with which a channel may be opened.
func (a *Agent) createChannel(ctx context.Context, path string, in map[string]string) (string, error) {
	in["MessageSchemaVersion"], in["RequestId"] = "1.0", channelmessage.TextOf(channelmessage.NewID())
	body, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("ask for a channel: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.options.Endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask for a channel: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	status, answer, err := a.options.send(r, body, a.sign("ssmmessages"))
	if err != nil {
		return "", fmt.Errorf("ask for a channel: %w", err)
	}
	var out struct{ TokenValue string }
	if status != http.StatusCreated || xml.Unmarshal(answer, &out) != nil {
		return "", fmt.Errorf("ask for a channel: %d %s", status, answer)
	}
	return out.TokenValue, nil
}

func (o Options) send(r *http.Request, body []byte, sign signer) (status int, answer []byte, err error) {
	if err := sign(r, body); err != nil {
		return 0, nil, err
	}
	response, err := o.client().Do(r) //nolint:gosec // The endpoint is the caller's to choose.
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, answer, err
}

// sign signs with the credentials of the role.
func (a *Agent) sign(service string) signer {
	return func(r *http.Request, body []byte) error {
		keys, err := a.Retrieve(r.Context())
		if err != nil {
			return err
		}
		return v4.NewSigner().SignHTTP(r.Context(), keys, r, sum(body), service, a.options.Region, time.Now())
	}
}

// Retrieve returns the credentials of the node's role, as an aws.CredentialsProvider.
func (a *Agent) Retrieve(ctx context.Context) (aws.Credentials, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Until(a.keys.Expires) > a.life/2 {
		return a.keys, nil
	}
	var out struct {
		AccessKeyId         string //nolint:revive,staticcheck // The name is AWS's.
		SecretAccessKey     string
		SessionToken        string
		TokenExpirationDate float64
	}
	err := a.options.call(ctx, "RequestManagedInstanceRoleToken", map[string]string{"Fingerprint": a.identity.fingerprint}, a.identity.sign(a.options.Region), &out)
	if err != nil {
		return aws.Credentials{}, err
	}
	a.keys = aws.Credentials{
		AccessKeyID: out.AccessKeyId, SecretAccessKey: out.SecretAccessKey, SessionToken: out.SessionToken,
		CanExpire: true, Expires: time.Unix(int64(out.TokenExpirationDate), 0), Source: "RequestManagedInstanceRoleToken",
	}
	a.life = time.Until(a.keys.Expires)
	return a.keys, nil
}
