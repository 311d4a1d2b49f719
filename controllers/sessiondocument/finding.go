package sessiondocument

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// finding is what became of one region.
type finding struct {
	reconcile.Verdict
	// state of the document there.
	state v1alpha1.DocumentState
	// after is when to look again by itself; zero leaves it to the resync.
	after time.Duration
	// err is the failure of AWS behind it, nil where there is none.
	err error
	// hidden: AWS failed in a way that heals by itself. What is shown stays.
	hidden bool
}

func active() finding { return finding{state: v1alpha1.DocumentActive} }

// failed is the finding on an error of AWS.
func failed(err error) finding {
	v, shown := reconcile.Failure(err)
	f := finding{Verdict: v, err: err, hidden: !shown, state: v1alpha1.DocumentBlocked}
	if v.Progress == reconcile.Retrying {
		f.state = v1alpha1.DocumentPending
	}
	return f
}

// waits is the finding on something that AWS will do by itself.
func waits(state v1alpha1.DocumentState, after time.Duration, reason, message string) finding {
	return finding{
		Verdict: reconcile.Verdict{Progress: reconcile.Working, Reason: reason, Message: message},
		state:   state, after: after,
	}
}

// blocked is the finding on a problem that a user has to solve.
func blocked(state v1alpha1.DocumentState, reason, message string) finding {
	return finding{Verdict: reconcile.Verdict{Progress: reconcile.Stuck, Reason: reason, Message: message}, state: state}
}

// findings are those of all regions, in their order.
type findings struct {
	shown  []finding
	hidden []error
	after  time.Duration
}

// add takes the finding on a region, and shows it there.
func (all *findings) add(at *v1alpha1.DocumentRegion, f finding) {
	if f.after > 0 && (all.after == 0 || f.after < all.after) {
		all.after = f.after
	}
	if f.hidden {
		all.hidden = append(all.hidden, f.err)
		return
	}
	at.State, at.Message = f.state, shorten(f.Message)
	all.shown = append(all.shown, f)
}

// verdict is the one to show: first what a user has to solve, then what AWS fails at,
// then what is in progress. settled is the one where there is nothing.
func (all *findings) verdict(settled reconcile.Verdict) reconcile.Verdict {
	for _, progress := range []reconcile.Progress{reconcile.Stuck, reconcile.Retrying, reconcile.Working} {
		for _, f := range all.shown {
			if f.Progress == progress && f.Reason != "" {
				return f.Verdict
			}
		}
	}
	return settled
}

// retry is what the work queue backs off with.
func (all *findings) retry() error {
	errs := slices.Clone(all.hidden)
	for _, f := range all.shown {
		errs = append(errs, reconcile.Retry(f.err))
	}
	return errors.Join(errs...)
}

// maxMessage is the most characters that the API takes for one region.
const maxMessage = 1024

func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage-1]) + "…"
	}
	return text
}

// orUnknown is a text for what AWS left empty.
func orUnknown(text string) string { return cmp.Or(text, "AWS does not say why") }
