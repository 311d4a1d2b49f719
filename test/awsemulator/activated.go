package awsemulator

import (
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// ssmPrincipal is by what a trust policy names Systems Manager.
const ssmPrincipal = "ssm.amazonaws.com"

// serviceRole finds the role that an activation names, as evaluation sees it at
// now: a role that was just created can be missing. The name may have its path
// before it, without the first slash.
func (s *Server) serviceRole(a *Account, region string, now time.Time, name string) ssm.ServiceRole {
	found := ssm.ServiceRole{ARN: "arn:" + a.Partition + ":iam::" + a.ID + ":role/" + name}
	path, short := "/", name
	if i := strings.LastIndex(name, "/"); i >= 0 {
		path, short = "/"+name[:i+1], name[i+1:]
	}
	role, ok := a.IAM.ForEvaluation(now).Entity(iam.Role, short)
	if !ok || role.Path != path || strings.HasPrefix(name, "arn:") {
		return found
	}
	found.ARN, found.Context = role.ARN, a.IAM.ResourceContext(role.ARN)
	var ctx authz.Context
	ctx.Set("aws:SourceAccount", a.ID)
	ctx.Set("aws:SourceArn", "arn:"+a.Partition+":ssm:"+region+":"+a.ID+":*")
	d, err := authz.EvaluateTrust(authz.Principal{Service: ssmPrincipal}, authz.Request{
		Action: "sts:AssumeRole", Resource: role.ARN, Context: ctx,
	}, authz.Policy{Name: role.ARN, Document: role.Trust.Parsed})
	found.Trusts = err == nil && d.Allowed()
	return found
}

// activated finds the region that has an activation, nil when none has.
func (s *Server) activated(activation string) *ssm.Region {
	for _, a := range s.Accounts() {
		for _, r := range a.Regions() {
			if _, ok := r.SSM.Activation(activation); ok {
				return r.SSM
			}
		}
	}
	return nil
}

// Register makes a managed node of a machine, as its agent would with the id
// and the code of an activation, and returns its id. The error is AWS's.
func (s *Server) Register(m ssm.Registration) (string, error) {
	r := s.activated(m.ActivationID)
	if r == nil {
		return "", ssm.InvalidActivation()
	}
	return r.Register(s.clock.Now(), m)
}
