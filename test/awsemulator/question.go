package awsemulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// Question asks what a principal may do, without doing it. It is judged
// whether or not callers are.
type Question struct {
	// Principal is the ARN of a user, a role or a role session
	// (arn:aws:sts::A:assumed-role/R/S).
	Principal string `json:"principal"`
	// Federated asks for a token of GetFederationToken of the principal, which is a
	// user, under this name. The token's session policy narrows nothing.
	Federated string `json:"federated,omitempty"`
	// Action is "service:Operation".
	Action string `json:"action"`
	// Resources are ARNs; "*" when there are none. All must be allowed.
	Resources []string `json:"resources,omitempty"`
	// Target asks, instead of Resources, whether a session may be opened on a
	// node of the Region: on the node and with the Document, as AWS judges it.
	// The Document is a name or ARN, the default one when empty.
	Target   string `json:"target,omitempty"`
	Document string `json:"document,omitempty"`
	// Region is aws:RequestedRegion.
	Region string `json:"region,omitempty"`
	// SourceIP is aws:SourceIp.
	SourceIP string `json:"sourceIP,omitempty"`
	// MFA makes the credentials temporary ones with or without a second factor;
	// nil means long-term ones.
	MFA *bool `json:"mfa,omitempty"`
	// Context holds further condition keys. Tags of resources that the emulator
	// knows are added by themselves.
	Context map[string][]string `json:"context,omitempty"`
	// Lagging judges by what evaluation sees now rather than by what was
	// written last.
	Lagging bool `json:"lagging,omitempty"`
}

// Answer is what a principal may do.
type Answer struct {
	Allowed bool `json:"allowed"`
	// Verdicts has one entry for each resource.
	Verdicts []Verdict `json:"verdicts"`
}

// Verdict is the decision on one resource.
type Verdict struct {
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
	// Outcome is allowed, implicitDeny or explicitDeny.
	Outcome string `json:"outcome"`
	// Policy and Sid name the statement that decided.
	Policy string `json:"policy,omitempty"`
	Sid    string `json:"sid,omitempty"`
	// Message is AWS's sentence for a denial.
	Message string `json:"message,omitempty"`
}

// May answers a question. The error says what is wrong with the question.
func (s *Server) May(q Question) (Answer, error) {
	account, _, err := s.principalOf(nil, q.Principal)
	if err != nil {
		return Answer{}, err
	}
	state := account.IAM.Latest()
	if q.Lagging {
		state = account.IAM.ForEvaluation(s.clock.Now())
	}
	return s.MayIn(state, q)
}

// MayIn answers a question by a state of IAM that may be past.
func (s *Server) MayIn(state *iam.State, q Question) (Answer, error) {
	account, caller, err := s.principalOf(state, q.Principal)
	if err != nil {
		return Answer{}, err
	}
	if q.Federated != "" {
		caller = iam.Federated(caller, q.Federated)
	}
	caller.MFA, caller.MFAAt = q.MFA, s.clock.Now()
	r := &service.Request{Caller: caller, Region: q.Region, Now: s.clock.Now(), SourceIP: q.SourceIP}
	if q.Target != "" {
		return s.mayStart(state, account, r, q)
	}
	if len(q.Resources) == 0 {
		q.Resources = []string{"*"}
	}
	answer := Answer{Allowed: true}
	for _, resource := range q.Resources {
		v, err := s.judge(state, r, q, resource, s.resourceContext(resource))
		if err != nil {
			return Answer{}, err
		}
		answer.Allowed = answer.Allowed && v.Allowed
		answer.Verdicts = append(answer.Verdicts, v)
	}
	return answer, nil
}

// errDenied is a verdict that does not allow.
var errDenied = errors.New("denied")

// mayStart asks about the opening of a session as the call itself would.
func (s *Server) mayStart(state *iam.State, account *Account, r *service.Request, q Question) (Answer, error) {
	if q.Region == "" {
		return Answer{}, errors.New("a question about a target needs its region")
	}
	if q.Document == "" {
		q.Document = ssm.DefaultDocument
	}
	var answer Answer
	var fault error
	err := account.Region(q.Region).SSM.MayStart(func(c service.Check) error {
		q.Action = c.Action
		v, err := s.judge(state, r, q, c.Resource, c.Context)
		if err != nil {
			fault = err
			return err
		}
		answer.Verdicts = append(answer.Verdicts, v)
		if !v.Allowed {
			return errDenied
		}
		return nil
	}, q.Target, q.Document)
	answer.Allowed = err == nil
	return answer, fault
}

func (s *Server) judge(state *iam.State, r *service.Request, q Question, resource string, ctx authz.Context) (Verdict, error) {
	for key, values := range q.Context {
		ctx.Set(key, values...)
	}
	policies, ok := iam.PoliciesOf(state, r.Caller)
	if !ok {
		return Verdict{}, fmt.Errorf("the principal %s does not exist", q.Principal)
	}
	request := authz.Request{Action: q.Action, Resource: resource, Context: requestContext(r, ctx)}
	d, err := authz.Evaluate(request, policies)
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{
		Resource: resource, Allowed: d.Allowed(), Outcome: d.Outcome.String(), Policy: d.Policy, Sid: d.Sid,
		Message: d.Message(r.Caller.ARN, request),
	}, nil
}

// principalOf makes a caller of the ARN of a user, a role or a role session, as a
// state of its account knows it; nil is the latest. The ARN of a federated user
// names no IAM user; it makes a caller without policies.
func (s *Server) principalOf(state *iam.State, text string) (*Account, service.Caller, error) {
	parsed, err := arn.Parse(text)
	if err != nil {
		return nil, service.Caller{}, fmt.Errorf("the principal %q is no ARN", text)
	}
	account := s.Account(parsed.AccountID)
	if account == nil {
		return nil, service.Caller{}, fmt.Errorf("there is no account %s", parsed.AccountID)
	}
	if state == nil {
		state = account.IAM.Latest()
	}
	if name, ok := strings.CutPrefix(parsed.Resource, "federated-user/"); ok {
		return account, iam.Federated(service.Caller{AccountID: account.ID, Partition: account.IAM.Partition}, name), nil
	}
	if rest, ok := strings.CutPrefix(parsed.Resource, "assumed-role/"); ok {
		name, session, _ := strings.Cut(rest, "/")
		if role, ok := state.Entity(iam.Role, name); ok {
			return account, account.IAM.CallerOf(role, session), nil
		}
		return nil, service.Caller{}, fmt.Errorf("there is no role %s", name)
	}
	e, ok := state.EntityByARN(text)
	if !ok || e.Kind == iam.Group {
		return nil, service.Caller{}, fmt.Errorf("there is no user or role %s", text)
	}
	return account, account.IAM.CallerOf(e, "question"), nil
}
