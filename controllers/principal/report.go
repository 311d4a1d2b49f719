package principal

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// failed is the outcome when the principal could not even be looked up. Nil
// where the error is not shown.
func (w *work) failed(ctx context.Context, err error) *grants.Outcome {
	p, ok := problemOf(err)
	if !ok {
		return nil
	}
	return w.outcomeOf(ctx, false, nil, func(types.UID, grants.Observation) problem { return p })
}

// observed is the outcome in mode Observe: nothing was written.
func (w *work) observed(ctx context.Context, steps []step, problems map[types.UID]problem) *grants.Outcome {
	narrowing := false
	texts := make([]string, len(steps))
	for i, s := range steps {
		narrowing = narrowing || s.narrows
		texts[i] = s.String()
	}
	return w.outcomeOf(ctx, !narrowing, nil, func(uid types.UID, observed grants.Observation) problem {
		if p, ok := problems[uid]; ok {
			return p
		}
		if len(steps) == 0 || (!observed.Included && !narrowing) {
			return problem{state: v1alpha1.PrincipalGranted}
		}
		return problem{
			v1alpha1.PrincipalWouldGrant, v1alpha1.ReasonObserved,
			fmt.Sprintf("AWSAccount %q is in mode Observe, so nothing was written. With mode Enforce the operator would %s.", w.account.Name, strings.Join(texts, ", then ")),
		}
	})
}

// outcome reports the result of the writes. It is nil where the error is not shown and
// the last outcome stays true.
func (w *work) outcome(ctx context.Context, plan policy.Plan, problems map[types.UID]problem, done execution) *grants.Outcome {
	failure, shown := problemOf(done.err)
	if done.err != nil && !shown {
		return nil
	}
	narrowed := !done.failedNarrowing && (!w.claims.revoking || w.proven(plan))
	return w.outcomeOf(ctx, narrowed, w.policyARNs(plan), func(uid types.UID, observed grants.Observation) problem {
		switch p, ok := problems[uid]; {
		case ok:
			return p
		case len(w.contended) > 0 && done.heldBack && observed.Included:
			return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonContended, contention.Message(w.contended)}
		case done.err != nil && (observed.Included || done.failedNarrowing):
			return failure
		default:
			return problem{state: v1alpha1.PrincipalGranted, message: w.remark(plan)}
		}
	})
}

// outcomeOf makes an outcome of what was observed and of the problem of each object.
func (w *work) outcomeOf(ctx context.Context, narrowed bool, arns []string, about func(types.UID, grants.Observation) problem) *grants.Outcome {
	notices := w.notices(ctx)
	for uid, observed := range w.claims.observed {
		p := about(uid, observed)
		observed.Notices = notices[uid]
		_, refused := w.claims.refused[uid]
		_, disappeared := w.disappeared[uid]
		observed.Superseded, observed.PrincipalID = refused || disappeared, w.view.ID
		observed.State, observed.Reason, observed.Message = p.state, p.reason, fit(p.message)
		w.claims.observed[uid] = observed
	}
	return &grants.Outcome{Narrowed: narrowed, PolicyARNs: arns, Observed: w.claims.observed}
}

// maxMessage and maxARNs are what the status of a principal may hold. One that
// is too long would keep the whole status from being written.
const (
	maxMessage = 1000
	maxARNs    = 64
)

// fit cuts a message to what the status may hold.
func fit(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + " …"
}

// remark is what people should know of a principal whose access is in place.
func (w *work) remark(plan policy.Plan) string {
	switch {
	case w.key.Kind == v1alpha1.PrincipalPermissionSet:
		return fmt.Sprintf("It takes effect once permission set %s references each of these customer managed policies, with path %s: %s. The operator cannot check whether the permission set exists.",
			w.claims.name, policy.Path(w.OwnerID), strings.Join(w.policyNames(plan), ", "))
	case w.view.Boundary != "":
		return fmt.Sprintf("%s %s has the permissions boundary %s, which may allow less than this grant.", w.key.Kind, w.claims.name, w.view.Boundary)
	default:
		return ""
	}
}

// policyARNs are the policies of a plan that IAM holds.
func (w *work) policyARNs(plan policy.Plan) []string {
	var arns []string
	for _, name := range w.policyNames(plan) {
		if len(arns) == maxARNs {
			break
		}
		if view := w.account.IAM.Cache().Policy(name); view.Presence == iam.Present {
			arns = append(arns, view.ARN)
		}
	}
	return arns
}

func (w *work) policyNames(plan policy.Plan) []string {
	var names []string
	for i, document := range plan.Documents {
		if document != "" {
			names = append(names, w.policyName(i+1))
		}
	}
	return names
}

// problem is what is wrong with a principal, or with one object's part in it.
type problem struct {
	state           v1alpha1.PrincipalState
	reason, message string
}

// problemOf judges an error of AWS. ok is false for what heals by itself and is
// not shown: throttling, and writes that met another writer.
func problemOf(err error) (p problem, ok bool) {
	switch awserr.Classify(err) {
	case awserr.Refused:
		return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonAccessDenied, awserr.UserMessage(err)}, true
	case awserr.Invalid:
		return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonInvalid, awserr.UserMessage(err)}, true
	case awserr.Missing:
		return problem{v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound, awserr.UserMessage(err)}, true
	case awserr.Conflict:
		return problem{v1alpha1.PrincipalFailed, v1alpha1.ReasonInvalid, awserr.UserMessage(err)}, true
	case awserr.Transport:
		return problem{v1alpha1.PrincipalFailed, v1alpha1.ReasonAWSUnavailable, awserr.UserMessage(err)}, true
	default:
		return problem{}, false
	}
}

// compileProblems returns for each object what keeps its grant out of the policies.
func compileProblems(err error, incomplete []string) map[types.UID]problem {
	problems := map[types.UID]problem{}
	for id, shortfall := range policy.Shortfalls(err, incomplete) {
		reason := v1alpha1.ReasonInvalidSpec
		if shortfall.TooLarge {
			reason = v1alpha1.ReasonQuotaExceeded
		}
		problems[types.UID(id)] = problem{v1alpha1.PrincipalRefused, reason, shortfall.Message}
	}
	return problems
}

func notFound(kind v1alpha1.PrincipalKind, name, accountID string) problem {
	return problem{
		v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound,
		fmt.Sprintf("Account %s has no %s named %q; create it in IAM or correct the name. The operator looks again at every resync.",
			accountID, strings.ToLower(string(kind)), name),
	}
}
