package ssm

import (
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
			m := Registration{ActivationID: aws.ToString(in.ActivationId), ActivationCode: aws.ToString(in.ActivationCode)}
			r := activated(m.ActivationID)
			if r == nil {
				return nil, InvalidActivation()
			}
			id, err := r.Register(req.Now, m)
			if err != nil {
				return nil, err
			}
			return &sdk.DeregisterManagedInstanceInput{InstanceId: aws.String(id)}, nil
		},
	}.Require("ActivationId", "ActivationCode", "Fingerprint")
}
