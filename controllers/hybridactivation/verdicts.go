package hybridactivation

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// verdict judges an object for which nothing is left to do now.
func (w *work) verdict(d decision) reconcile.Verdict {
	name := w.activation.SecretName()
	switch {
	case d.settling:
		return settling()
	case d.counting:
		return counting()
	case d.full && d.current == nil:
		return crowded(w.allowed, w.bound, w.registered)
	case d.full && usedUp(*d.current):
		return reconcile.Verdict{
			Progress: reconcile.Settled, Reason: v1alpha1.ReasonUsedUp,
			Message: fmt.Sprintf("All %d registrations of the activation are used, and guardrail %q of AWSAccount %q allows no more machines: %d are registered over all activations. Deregister some of the nodes to let others register.", d.current.Limit, w.bound.Name, w.account.Name, w.registered),
		}
	case d.current != nil && usedUp(*d.current):
		return reconcile.Verdict{
			Progress: reconcile.Settled, Reason: v1alpha1.ReasonUsedUp,
			Message: fmt.Sprintf("All %d registrations of the activation are used, and no more machines may register; set replenish: true, or a higher registrationLimit, to let more register.", d.current.Limit),
		}
	default:
		return reconcile.Verdict{
			Progress: reconcile.Settled, Reason: v1alpha1.ReasonActivated,
			Message: fmt.Sprintf("Machines may register in %s with the code in Secret %q, which also has the commands to run.", w.want.region, name),
		}
	}
}

func creating(d decision) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonCreating,
		Message: fmt.Sprintf("An activation is being made, because %s.", d.create),
	}
}

func settling() reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonSettling,
		Message: "AWS gave no answer to a request for an activation, and it is looked for until it would show for certain; that takes about a minute, and then another is made.",
	}
}

func counting() reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonSettling,
		Message: "A guardrail bounds how many machines may be registered, so the activation before was deleted, and its machines are counted when AWS shows them for certain; that takes about two minutes, and then another is created.",
	}
}

func (w *work) secretConflict() reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonSecretConflict,
		Message: fmt.Sprintf("Secret %q exists and does not belong to this object, so it is not written; delete or rename that Secret, or set another secretName.", w.activation.SecretName()),
	}
}

func (w *work) secretNotWritable(err error) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonSecretNotWritable,
		Message: fmt.Sprintf("Secret %q cannot be written, so no activation is made whose code would be lost: the API server says %q. Give the operator that right, or make room for the Secret.", w.activation.SecretName(), cause(err)),
	}
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
func roleNotUsable(err error, patient bool) reconcile.Verdict {
	v := reconcile.Verdict{Progress: reconcile.Stuck, Reason: v1alpha1.ReasonRoleNotUsable, Message: cloud.Sentence(err)}
	if patient {
		v.Progress = reconcile.Working
	}
	return v
}

// createRefused names what else the call needs: only the message of AWS says which
// permission was missing.
func (w *work) createRefused(err error) reconcile.Verdict {
	v, _ := reconcile.Failure(err)
	v.Message += fmt.Sprintf(" The call also needs ssm:AddTagsToResource, and iam:PassRole on role %s with iam:PassedToService ssm.amazonaws.com.", w.want.role)
	return v
}

// observed reports what would be done in mode Enforce.
func (w *work) observed(d decision) reconcile.Verdict {
	var would []string
	for _, id := range d.remove {
		would = append(would, "delete activation "+id)
	}
	switch {
	case w.secrets.target.state == secretForeign:
		return w.secretConflict()
	case d.create != "":
		would = append(would, fmt.Sprintf("make an activation with role %s for %d machines and put its code into Secret %q", w.want.role, w.want.limit, w.activation.SecretName()))
	case w.secretStale(d):
		would = append(would, fmt.Sprintf("write Secret %q anew", w.activation.SecretName()))
	}
	if len(would) == 0 {
		return w.verdict(d)
	}
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonObserved,
		Message: fmt.Sprintf("AWSAccount %q is in mode Observe, so nothing was written. With mode Enforce the operator would %s.", w.account.Name, strings.Join(would, ", then ")),
	}
}
