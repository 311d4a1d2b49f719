package sessiondocument

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// shown completes the status for a result that is reported.
func (s *scope) shown(result reconcile.Result) reconcile.Result {
	if result.Reason == "" {
		return result
	}
	status := &s.Object.Status
	if status.Name == "" {
		status.Name = s.Object.DocumentName()
	}
	status.Summary = summarize(status.Regions)
	return result
}

// hidden is the result where the only failures are those that resolve themselves: the
// conditions stay as they are, once there are any.
func (s *scope) hidden(result reconcile.Result) reconcile.Result {
	status := &s.Object.Status
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != s.Object.Generation || !v1alpha1.IsOwnRecord(status.UID, s.Object) {
		return saying(applying(s.desired.name), result)
	}
	status.Summary = summarize(status.Regions)
	return saying(reconcile.Result{}, result)
}

// saying is a result with what another says about what happens next.
func saying(result, next reconcile.Result) reconcile.Result {
	result.RequeueAfter, result.Retry = next.RequeueAfter, next.Retry
	return result
}

func summarize(regions []v1alpha1.DocumentRegion) *v1alpha1.DocumentSummary {
	ready := 0
	var versions []string
	for _, at := range regions {
		if at.State == v1alpha1.DocumentActive {
			ready++
		}
		if text := fmt.Sprint(at.DefaultVersion); at.DefaultVersion > 0 && !slices.Contains(versions, text) {
			versions = append(versions, text)
		}
	}
	return &v1alpha1.DocumentSummary{Regions: fmt.Sprintf("%d/%d", ready, len(regions)), Version: strings.Join(versions, ",")}
}

func inPlace(s *scope) reconcile.Result {
	return reconcile.Readyf(v1alpha1.ReasonInPlace,
		"Document %q is in place in %s.", s.desired.name, join(s.desired.regions))
}

func applying(name string) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonApplying,
		"Document %q is being written.", name)
}

func claimedBy(name string, other *v1alpha1.SessionDocument) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonConflict,
		"%s declares document %q in the same account and region, and is older; delete one of the two, or give this one another name in a new object.", queue.Named("SessionDocument", other), name)
}

// setPromotionPending reports the first region where a version waits.
func setPromotionPending(s *scope) {
	message := ""
	for _, at := range s.Object.Status.Regions {
		if at.PendingVersion > 0 && s.desired.in(at.Region) {
			message = fmt.Sprintf("Version %d of document %q in %s holds what is declared and waits; set defaultVersion: %d to have sessions use it. They use version %d.", at.PendingVersion, s.desired.name, at.Region, at.PendingVersion, at.DefaultVersion)
			break
		}
	}
	reconcile.SetConditionWhile(&s.Object.Status.Conditions, s.Object.Generation, v1alpha1.ConditionPromotionPending, v1alpha1.ReasonVersionWaits, message)
}

func join(regions []v1alpha1.Region) string {
	texts := make([]string, len(regions))
	for i, region := range regions {
		texts[i] = string(region)
	}
	return strings.Join(texts, ", ")
}

// regionResult is the result of one region. RequeueAfter counts, and Retry does not: see
// err.
type regionResult struct {
	reconcile.Result
	// state of the document there.
	state v1alpha1.DocumentState
	// err is the failure of AWS behind it, nil where there is none.
	err error
	// hidden: AWS failed in a way that heals by itself. What is shown stays.
	hidden bool
}

func active() regionResult { return regionResult{state: v1alpha1.DocumentActive} }

// failed is the result of an error of AWS.
func failed(err error) regionResult {
	result, shown := reconcile.Failed(err)
	f := regionResult{Result: result, err: err, hidden: !shown, state: v1alpha1.DocumentBlocked}
	if result.Phase == reconcile.Retrying {
		f.state = v1alpha1.DocumentPending
	}
	return f
}

// waits is the result where AWS will do something by itself.
func waits(state v1alpha1.DocumentState, after time.Duration, reason, message string) regionResult {
	f := regionResult{Result: reconcile.Reconcilingf(reason, "%s", message), state: state}
	f.RequeueAfter = after
	return f
}

// blocked is the result of a problem that a user has to solve.
func blocked(state v1alpha1.DocumentState, reason, message string) regionResult {
	return regionResult{Result: reconcile.Stalledf(reason, "%s", message), state: state}
}

// regionResults are those of all regions, in their order.
type regionResults struct {
	shown  []regionResult
	hidden []error
	after  time.Duration
}

// add takes the result of a region, and shows it there.
func (all *regionResults) add(at *v1alpha1.DocumentRegion, f regionResult) {
	if f.RequeueAfter > 0 && (all.after == 0 || f.RequeueAfter < all.after) {
		all.after = f.RequeueAfter
	}
	if f.hidden {
		all.hidden = append(all.hidden, f.err)
		return
	}
	at.State, at.Message = f.state, shorten(f.Message)
	all.shown = append(all.shown, f)
}

// result is the one of the object: first what a user has to solve, then what AWS fails at,
// then what is in progress, and otherwise is the one where there is nothing of these.
func (all *regionResults) result(otherwise reconcile.Result) reconcile.Result {
	result := all.first(otherwise)
	result.RequeueAfter, result.Retry = all.after, all.retry()
	return result
}

func (all *regionResults) first(otherwise reconcile.Result) reconcile.Result {
	for _, phase := range []reconcile.Phase{reconcile.Stalled, reconcile.Retrying, reconcile.Reconciling} {
		for _, f := range all.shown {
			if f.Phase == phase && f.Reason != "" {
				return f.Result
			}
		}
	}
	return otherwise
}

// retry is what the work queue backs off with.
func (all *regionResults) retry() error {
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
