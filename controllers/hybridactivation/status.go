package hybridactivation

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// result is that of an object for which nothing is left to do now.
func (s *scope) result(d plan) reconcile.Result {
	name := s.Object.SecretName()
	switch {
	case d.settling:
		return settling()
	case d.counting:
		return counting()
	case len(d.unclear) > 0:
		return reconcile.Denied(s.allowed.Uncountable(s.bound, d.unclear[0], len(d.unclear)-1))
	case d.full && d.current == nil:
		return reconcile.Denied(s.allowed.TooManyRegistered(s.bound, s.registered))
	case d.full && usedUp(*d.current):
		return reconcile.Readyf(v1alpha1.ReasonUsedUp,
			"All %d registrations of the activation are used, and guardrail %q of AWSAccount %q allows no more machines: %d are registered over all activations. Deregister some of the nodes to let others register.", d.current.Limit, s.bound.Name, s.account.Name, s.registered)
	case d.current != nil && usedUp(*d.current):
		return reconcile.Readyf(v1alpha1.ReasonUsedUp,
			"All %d registrations of the activation are used, and no more machines may register; set replenish: true, or a higher registrationLimit, to let more register.", d.current.Limit)
	default:
		return reconcile.Readyf(v1alpha1.ReasonActivated,
			"Machines may register in %s with the code in Secret %q, which also has the commands to run.", s.desired.region, name)
	}
}

func creating(d plan) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonCreating,
		"An activation is being made, because %s.", d.create)
}

func settling() reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonSettling,
		"AWS gave no answer to a request for an activation, and the operator lists activations until it would show for certain; that takes about a minute, and then another is made.")
}

func counting() reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonSettling,
		"A guardrail bounds how many machines may be registered, so the activation before was deleted, and its machines are counted when AWS shows them for certain; that takes about two minutes, and then another is created.")
}

// tagging reports nodes that are not reached yet: access to them is granted by their tag.
func (s *scope) tagging(nodes int) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonTaggingNodes,
		"%d nodes in %s lack a tag by which they are of this object and access to them is granted; the operator tags %d at a time. Machines may register meanwhile.", nodes, s.desired.region, maxTagged)
}

func (s *scope) secretConflict() reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonSecretConflict,
		"Secret %q exists and does not belong to this object, so it is not written; delete or rename that Secret, or set another secretName.", s.Object.SecretName())
}

func (s *scope) secretNotWritable(err error) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonSecretNotWritable,
		"Secret %q cannot be written, so no activation is made whose code would be lost: the API server says %q. Give the operator that right, or make room for the Secret.", s.Object.SecretName(), cause(err))
}

// maxCause bounds what is repeated of the API server's words, in characters: an
// event holds a thousand bytes.
const maxCause = 200

// cause is the innermost message.
func cause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, err.Error()))
	if len(text) > maxCause {
		return string(text[:maxCause]) + "…"
	}
	return string(text)
}

// roleNotUsable reports that the role cannot be used: first that the operator retries,
// because a role made seconds ago is not visible everywhere, and then what to do.
func roleNotUsable(err error, isRetried bool) reconcile.Result {
	if isRetried {
		return reconcile.Reconcilingf(v1alpha1.ReasonRoleNotUsable, "%s", awserr.UserMessage(err))
	}
	return reconcile.Stalledf(v1alpha1.ReasonRoleNotUsable, "%s", awserr.UserMessage(err))
}

// createRefused names what else the call needs: only the message of AWS says which
// permission was missing.
func (s *scope) createRefused(err error) reconcile.Result {
	result, _ := reconcile.Failed(err)
	result.Message += fmt.Sprintf(" The call also needs ssm:AddTagsToResource, and iam:PassRole on role %s with iam:PassedToService ssm.amazonaws.com.", s.desired.role)
	return result
}

// wouldDo reports what would be done in mode Enforce.
func (s *scope) wouldDo(d plan) reconcile.Result {
	var would []string
	for _, id := range d.remove {
		would = append(would, "delete activation "+id)
	}
	switch {
	case s.secrets.target.state == secretForeign:
		return s.secretConflict()
	case d.create != "":
		would = append(would, fmt.Sprintf("make an activation with role %s for %d machines and put its code into Secret %q", s.desired.role, s.desired.limit, s.Object.SecretName()))
	case s.secretStale(d):
		would = append(would, fmt.Sprintf("write Secret %q again", s.Object.SecretName()))
	}
	if len(would) == 0 {
		return s.result(d)
	}
	return wouldWrite(s.account.Name, would)
}

// wouldWrite reports what is left out in mode Observe.
func wouldWrite(account string, would []string) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonObserved,
		"AWSAccount %q is in mode Observe, so nothing was written. With mode Enforce the operator would %s.", account, strings.Join(would, ", then "))
}

func accountMoved(a *v1alpha1.HybridActivation, to string) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonConflict,
		"AWSAccount %q declares account %s now, and the activation lies in account %s; declare an AWSAccount for that one, delete this object, and create it again.", a.Spec.AccountRef.Name, to, a.Status.Record.AccountID)
}

func namespaceTerminating(a *v1alpha1.HybridActivation) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonNamespaceTerminating,
		"Namespace %q is being deleted, so nothing is created in it.", a.Namespace)
}

// requeued is a result after which the object is reconciled again without an event; zero
// for never.
func requeued(result reconcile.Result, after time.Duration) reconcile.Result {
	result.RequeueAfter = after
	return result
}

// retried is a result after which a failure is retried with backoff.
func retried(result reconcile.Result, err error) reconcile.Result {
	result.Retry = err
	return result
}

// othersFirst is the result of a failure that keeps others waiting: they get their turn
// before what failed is tried again.
func othersFirst(err error, next time.Duration) (reconcile.Result, error) {
	result, err := failed(err)
	if err != nil {
		return result, err
	}
	result.Retry = nil
	return requeued(result, next), nil
}

// failed is the result of an error of AWS that is shown. It returns every other error.
func failed(err error) (reconcile.Result, error) {
	if _, ofAWS := errors.AsType[*awserr.Error](err); !ofAWS {
		return reconcile.Result{}, err
	}
	result, shown := reconcile.Failed(err)
	if !shown {
		return reconcile.Result{}, err
	}
	return retried(result, reconcile.Retry(err)), nil
}
