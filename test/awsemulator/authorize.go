package awsemulator

import (
	"strconv"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/sts"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// authorize judges one check of a call, where callers are judged.
func (s *Server) authorize(x *exchange, c service.Check) error {
	account := s.Account(x.request.Caller.AccountID)
	if x.request.Caller.Kind == service.RootCaller || !s.evaluates(account) {
		return nil
	}
	request := authz.Request{Action: c.Action, Resource: c.Resource, Context: requestContext(x.request, c.Context)}
	policies, ok := iam.PoliciesOf(account.IAM.ForEvaluation(x.request.Now), x.request.Caller)
	if !ok || refusesFederated(x) {
		return denied(x, authz.Decision{Statement: -1}, request)
	}
	decision, err := decide(x.request.Caller, request, policies, c)
	if err != nil {
		return err
	}
	if !decision.Allowed() {
		return denied(x, decision, request)
	}
	return nil
}

// refusesFederated reports whether the call is one that federated tokens cannot
// make whatever their policies: any call of IAM, and of STS all but
// GetCallerIdentity, which needs no permission.
func refusesFederated(x *exchange) bool {
	return x.request.Caller.Kind == service.FederatedCaller && (x.service.Name == "iam" || x.service.Name == "sts")
}

// decide judges a request by the policies of its caller and, where it has one,
// of its resource.
func decide(caller service.Caller, request authz.Request, policies authz.Policies, c service.Check) (authz.Decision, error) {
	if c.ResourcePolicy == nil {
		return authz.Evaluate(request, policies)
	}
	return authz.EvaluateResource(principal(caller), request, policies, *c.ResourcePolicy, c.Rule)
}

// principal is a caller as policies name it.
func principal(c service.Caller) authz.Principal {
	who := authz.Principal{ARN: c.ARN}
	if c.Kind == service.RoleCaller {
		who.RoleARN = c.PrincipalARN
	}
	return who
}

// requestContext puts together the condition keys of a request.
func requestContext(r *service.Request, more authz.Context) authz.Context {
	ctx := more.Clone()
	r.Caller.Describe(&ctx)
	ctx.Set("aws:CurrentTime", r.Now.Format(time.RFC3339))
	ctx.Set("aws:EpochTime", strconv.FormatInt(r.Now.Unix(), 10))
	ctx.Set("aws:SecureTransport", "true")
	if r.SourceIP != "" {
		ctx.Set("aws:SourceIp", r.SourceIP)
	}
	if r.Region != "" {
		ctx.Set("aws:RequestedRegion", r.Region)
	}
	if r.Caller.MFA != nil {
		ctx.Set("aws:MultiFactorAuthPresent", strconv.FormatBool(*r.Caller.MFA))
		if *r.Caller.MFA {
			age := max(0, int(r.Now.Sub(r.Caller.MFAAt).Seconds()))
			ctx.Set("aws:MultiFactorAuthAge", strconv.Itoa(age))
		}
	}
	return ctx
}

// denied is the service's own error for a missing permission.
func denied(x *exchange, d authz.Decision, r authz.Request) error {
	message := d.Message(x.request.Caller.ARN, r)
	switch {
	case x.service.Dialect == nil:
		return wire.Errorf(400, "AccessDeniedException", "%s", message)
	case x.service.Name == messagesService:
		return wire.Errorf(403, "AccessDeniedException", "%s", message)
	case x.service.Name == "ec2":
		return wire.Errorf(403, "UnauthorizedOperation", "You are not authorized to perform this operation. %s", message)
	default:
		return wire.Errorf(403, "AccessDenied", "%s", message)
	}
}

// mayAssume judges a caller that wants a role: the role's trust policy always,
// the caller's own policies where callers are judged.
func (s *Server) mayAssume(r *service.Request, role *iam.Entity, ctx authz.Context) error {
	if r.Caller.Kind == service.FederatedCaller {
		return sts.Denied(r.Caller.ARN, role.ARN)
	}
	who := principal(r.Caller)
	request := authz.Request{Action: "sts:AssumeRole", Resource: role.ARN, Context: requestContext(r, ctx)}
	trust := authz.Policy{Name: role.ARN, Document: role.Trust.Parsed}
	account := s.mustAccount(r)
	if !s.evaluates(account) {
		d, err := authz.EvaluateTrust(who, request, trust)
		return assumeError(r, role, d.Allowed(), err)
	}
	policies, _ := iam.PoliciesOf(account.IAM.ForEvaluation(r.Now), r.Caller)
	d, err := authz.EvaluateAssumeRole(who, request, policies, trust)
	return assumeError(r, role, d.Allowed(), err)
}

func assumeError(r *service.Request, role *iam.Entity, allowed bool, err error) error {
	if err != nil || allowed {
		return err
	}
	return sts.Denied(r.Caller.ARN, role.ARN)
}
