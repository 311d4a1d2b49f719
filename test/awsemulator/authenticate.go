package awsemulator

import (
	"crypto/subtle"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// authenticate finds the caller by the access key of the signature.
func (s *Server) authenticate(x *exchange) error {
	jsonProtocol := x.service.Dialect == nil
	if x.signature == nil {
		if jsonProtocol {
			return wire.Errorf(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
		}
		return wire.Errorf(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	account, k, found := s.findKey(x.signature.AccessKeyID)
	if !found || !sameToken(k.SessionToken, x.signature.SessionToken) {
		return unknownKey(x)
	}
	caller, exists := account.Caller(account.ForEvaluation(x.request.Now), k)
	if !exists {
		return unknownKey(x)
	}
	if !k.Expires.IsZero() && time.Now().After(k.Expires) {
		if jsonProtocol {
			return wire.Errorf(400, "ExpiredTokenException", "The security token included in the request is expired")
		}
		return wire.Errorf(403, "ExpiredToken", "The security token included in the request is expired")
	}
	if !s.trust && !s.verifier.Verify(x.http, x.body, x.signature, k.Secret) {
		return badSignature(jsonProtocol)
	}
	x.request.Caller = caller
	return nil
}

// findKey looks for an access key in every account.
func (s *Server) findKey(id string) (*iam.Account, iam.AccessKey, bool) {
	for _, a := range s.Accounts() {
		if k, ok := a.IAM.Key(id); ok {
			return a.IAM, k, true
		}
	}
	return nil, iam.AccessKey{}, false
}

func sameToken(want, got string) bool {
	return subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}

func unknownKey(x *exchange) error {
	jsonProtocol := x.service.Dialect == nil
	if x.service.Name == "s3" {
		return wire.Errorf(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	}
	if jsonProtocol {
		return wire.Errorf(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	return wire.Errorf(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func badSignature(jsonProtocol bool) error {
	const message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	if jsonProtocol {
		return wire.Errorf(400, "InvalidSignatureException", message)
	}
	return wire.Errorf(403, "SignatureDoesNotMatch", message)
}
