package awsemulator

import (
	"errors"
	"path"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/sigv4"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// tokenLife is how long the credentials of a node are valid.
const tokenLife = time.Hour

// findNode finds a machine in any account and region.
func (s *Server) findNode(id string) (a *Account, region string, n *fleet.Node) {
	for _, a := range s.Accounts() {
		for name, r := range a.Regions() {
			if n, ok := r.Fleet.Node(id); ok {
				return a, name, n
			}
		}
	}
	return nil, "", nil
}

// authenticateNode finds the node that signed by the key that it registered. A node that
// is deregistered, or registered in another region, is not there.
func (s *Server) authenticateNode(x *exchange) error {
	if x.signature == nil {
		return s.authenticate(x)
	}
	id := x.signature.AccessKeyID
	a, region, n := s.findNode(id)
	if n == nil || n.PublicKey == nil || region != x.signature.Region {
		return ssm.InvalidInstance(id)
	}
	if !s.trust && !sigv4.VerifyRSA(x.http, x.body, x.signature, n.PublicKey) {
		return badSignature(true)
	}
	x.request.Caller = service.Caller{
		AccountID: a.ID, Partition: a.Partition, Kind: service.NodeCaller, Name: id, AccessKeyID: id, UserID: id,
		ARN: a.Region(region).SSM.NodeARN(id),
	}
	return nil
}

// roleToken makes credentials of a role, which may have its path before it, for a node.
func (s *Server) roleToken(a *Account, role, node string) (ssm.RoleToken, error) {
	e, ok := a.IAM.Latest().Entity(iam.Role, path.Base(role))
	if !ok {
		return ssm.RoleToken{}, errors.New("the role is gone")
	}
	k := iam.AccessKey{
		ID: s.random.AccessKeyID("ASIA"), Secret: s.random.Secret(40), SessionToken: s.random.Secret(64),
		OwnerKind: iam.Role, Owner: e.Name, SessionName: node, Expires: time.Now().Add(tokenLife),
	}
	a.IAM.AddKey(k)
	return ssm.RoleToken{AccessKeyID: k.ID, Secret: k.Secret, SessionToken: k.SessionToken, Expires: k.Expires}, nil
}

// nodeConnected notes that the control channel of a node has opened or closed.
func (s *Server) nodeConnected(node string, connected bool) {
	a, region, n := s.findNode(node)
	if n == nil {
		return
	}
	// The node may be gone meanwhile.
	_ = a.Region(region).Fleet.Change(node, func(n *fleet.Node) {
		if n.Agent != nil {
			n.Agent.Connected = connected
		}
	})
}

// isNode reports whether a caller is the role of a node.
func isNode(c service.Caller, node string) bool {
	return c.Kind == service.RoleCaller && c.SessionName == node
}
