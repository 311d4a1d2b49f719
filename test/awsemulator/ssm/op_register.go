package ssm

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// registerInput is what the agent sends with RegisterManagedInstance, an
// operation that the SDKs leave out.
type registerInput struct {
	ActivationId, ActivationCode, Fingerprint *string //nolint:staticcheck,revive // The names are AWS's.
	PublicKey, PublicKeyType                  *string
}

// registerOperation lets a machine register by the activation alone, without
// a signature. Its answer has the one member that the input of
// DeregisterManagedInstance has.
func registerOperation(activated func(string) *Region) service.Operation {
	return service.Operation{
		Name: "RegisterManagedInstance", Kind: service.Write, Anonymous: true,
		NewInput: func() any { return &registerInput{} },
		Call: func(req *service.Request, input any) (any, error) {
			in := input.(*registerInput)
			key, err := publicKey(in.PublicKey, in.PublicKeyType)
			if err != nil {
				return nil, err
			}
			m := Registration{
				ActivationID: aws.ToString(in.ActivationId), ActivationCode: aws.ToString(in.ActivationCode),
				PublicKey: key, Fingerprint: aws.ToString(in.Fingerprint),
			}
			r := activated(m.ActivationID)
			if r == nil || !r.isAt(req.Endpoint) {
				return nil, InvalidActivation()
			}
			id, err := r.Register(req.Now, m)
			if err != nil {
				return nil, err
			}
			return &sdk.DeregisterManagedInstanceInput{InstanceId: aws.String(id)}, nil
		},
	}.Require("ActivationId", "ActivationCode", "Fingerprint", "PublicKey")
}

// isAt reports whether a URL can be that of the region. One whose host is not of the form
// ssm.REGION.… can: the request is not signed, and says no region otherwise.
func (r *Region) isAt(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return true
	}
	labels := strings.Split(u.Hostname(), ".")
	return len(labels) < 3 || labels[0] != "ssm" || labels[1] == r.Region
}

// publicKey reads the key of a node: the DER of an RSA key, in Base64.
func publicKey(text, kind *string) (*rsa.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(text))
	if err == nil && (kind == nil || *kind == "Rsa") {
		parsed, err := x509.ParsePKIXPublicKey(raw)
		if key, ok := parsed.(*rsa.PublicKey); ok && err == nil {
			return key, nil
		}
	}
	// The code has not been seen on a real account.
	return nil, service.ValidationError("Value at 'publicKey' failed to satisfy constraint: Member must be the DER of an RSA key in Base64, and 'publicKeyType' Rsa")
}
