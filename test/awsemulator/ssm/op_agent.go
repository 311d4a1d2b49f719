package ssm

import (
	"crypto/subtle"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// The operations that only agents call, and that the SDKs leave out.

// RoleToken is the credentials of a node's role.
type RoleToken struct {
	AccessKeyID, Secret, SessionToken string
	Expires                           time.Time
}

type tokenInput struct{ Fingerprint *string }

type keyInput struct{ NewPublicKey, NewPublicKeyType *string }

// informationInput is what an agent reports of itself and its machine.
type informationInput struct {
	AgentName, AgentStatus, AgentVersion, ComputerName, IPAddress *string
	InstanceId                                                    *string //nolint:staticcheck,revive // The name is AWS's.
	PlatformName, PlatformType, PlatformVersion                   *string
	SSMConnectionChannel                                          *string
}

type associationsInput struct {
	InstanceId *string //nolint:staticcheck,revive // The name is AWS's.
}

func agentOperations(of Finder) []service.Operation {
	token := service.Define(of, "RequestManagedInstanceRoleToken", service.Read, nil, (*Region).roleToken).Require("Fingerprint")
	key := service.Define(of, "UpdateManagedInstancePublicKey", service.Write, nil, (*Region).updateKey).Require("NewPublicKey", "NewPublicKeyType")
	token.ByNode, key.ByNode = true, true
	return []service.Operation{
		token, key,
		service.Define(of, "UpdateInstanceInformation", service.Write, func(r *Region, _ *service.Request, in *informationInput) []service.Check {
			return r.on("UpdateInstanceInformation", r.NodeARN(aws.ToString(in.InstanceId)))
		}, (*Region).updateInformation).Require("InstanceId"),
		service.Define(of, "ListInstanceAssociations", service.Read, func(r *Region, _ *service.Request, in *associationsInput) []service.Check {
			return r.on("ListInstanceAssociations", r.NodeARN(aws.ToString(in.InstanceId)))
		}, (*Region).listAssociations).Require("InstanceId"),
	}
}

// roleToken gives credentials of its role to a node that has signed with its key. The
// codes for another fingerprint and a role that is gone have not been seen.
func (r *Region) roleToken(req *service.Request, in *tokenInput) (*wire.Raw, error) {
	id := req.Caller.Name
	n, ok := r.hybridNode(id)
	if !ok {
		return nil, InvalidInstance(id)
	}
	if subtle.ConstantTimeCompare([]byte(n.Fingerprint), []byte(aws.ToString(in.Fingerprint))) != 1 {
		return nil, invalid("MachineFingerprintDoesNotMatch", "The fingerprint is not that of %s.", id)
	}
	if role := r.ServiceRole(req.Now, n.Role); !role.Trusts {
		return nil, invalid("AccessDeniedException", "Systems Manager cannot assume the role %s.", n.Role)
	}
	t, err := r.RoleToken(n.Role, id)
	if err != nil {
		return nil, err
	}
	return wire.RawJSON(map[string]any{
		"AccessKeyId": t.AccessKeyID, "SecretAccessKey": t.Secret, "SessionToken": t.SessionToken,
		"TokenExpirationDate": t.Expires.Unix(), "UpdateKeyPair": false,
	})
}

func (r *Region) updateKey(req *service.Request, in *keyInput) (*wire.Raw, error) {
	key, err := publicKey(in.NewPublicKey, in.NewPublicKeyType)
	if err != nil {
		return nil, err
	}
	if r.Fleet.Change(req.Caller.Name, func(n *fleet.Node) { n.PublicKey = key }) != nil {
		return nil, InvalidInstance(req.Caller.Name)
	}
	return wire.RawJSON(struct{}{})
}

// updateInformation is the ping of an agent.
func (r *Region) updateInformation(req *service.Request, in *informationInput) (*wire.Raw, error) {
	id := aws.ToString(in.InstanceId)
	err := r.Fleet.Change(id, func(n *fleet.Node) {
		if n.Agent == nil {
			n.Agent = &fleet.Agent{}
		}
		a := n.Agent
		if !a.IsOnline(req.Now) {
			a.Since = req.Now
		}
		a.Online, a.Pinged = true, req.Now
		for _, reported := range []struct {
			to   *string
			from *string
		}{
			{&a.Version, in.AgentVersion},
			{&a.ComputerName, in.ComputerName},
			{&a.IPAddress, in.IPAddress},
			{&a.PlatformName, in.PlatformName},
			{&a.PlatformType, in.PlatformType},
			{&a.PlatformVersion, in.PlatformVersion},
		} {
			if reported.from != nil {
				*reported.to = *reported.from
			}
		}
	})
	if err != nil {
		return nil, InvalidInstance(id)
	}
	return wire.RawJSON(struct{}{})
}

// listAssociations answers that State Manager has nothing for the node.
func (r *Region) listAssociations(_ *service.Request, in *associationsInput) (*wire.Raw, error) {
	id := aws.ToString(in.InstanceId)
	if _, ok := r.Fleet.Node(id); !ok {
		return nil, InvalidInstance(id)
	}
	return wire.RawJSON(map[string]any{"Associations": []any{}})
}
