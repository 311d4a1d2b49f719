package awsaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// maxListings bounds the regions that a status remembers, as the API does, and
// maxListingText what it says of each.
const (
	maxListings    = 60
	maxListingText = 1024
	// maxUnlisted bounds the regions that the condition's message names.
	maxUnlisted = 3
)

// listSessions tries in every region whether open sessions can be listed, which
// ending them needs, and keeps the answers in the status. What worked once is
// expected to work: a revocation waits for it from then on. It returns the regions
// where it never did. All regions are asked at once: those that do not answer take as
// long as one.
func (r *Reconciler) listSessions(ctx context.Context, account *v1alpha1.AWSAccount, in *awsclient.Account) (never map[string]bool) {
	answers := make([]error, len(account.Spec.Regions))
	var asked sync.WaitGroup
	for i, region := range account.Spec.Regions {
		asked.Go(func() { answers[i] = ssm.In(in, string(region)).CanListSessions(ctx) })
	}
	asked.Wait()
	errs := map[v1alpha1.Region]error{}
	for i, region := range account.Spec.Regions {
		errs[region] = answers[i]
	}
	account.Status.SessionListing = listings(account, errs)
	setListing(account)
	never = map[string]bool{}
	for _, l := range account.Status.SessionListing {
		if !*l.EverListed {
			never[string(l.Region)] = true
		}
	}
	return never
}

// listings are the answers of all regions with what is remembered of them. Regions
// that the account does not declare any more stay: access may have been granted in
// them.
func listings(account *v1alpha1.AWSAccount, errs map[v1alpha1.Region]error) []v1alpha1.RegionListing {
	before := account.Status.SessionListing
	var after []v1alpha1.RegionListing
	for _, region := range account.Spec.Regions {
		err := errs[region]
		ever := err == nil || everListed(account, region)
		message := []rune(awserr.UserMessage(err))
		after = append(after, v1alpha1.RegionListing{
			Region: region, EverListed: &ever, Message: string(message[:min(len(message), maxListingText)]),
		})
	}
	for _, l := range before {
		if len(after) < maxListings && !slices.Contains(account.Spec.Regions, l.Region) {
			after = append(after, l)
		}
	}
	return after
}

// everListed reads from the status whether listing worked before in a region; it
// outlives the process. Earlier versions kept one answer for all regions, in the
// condition.
func everListed(account *v1alpha1.AWSAccount, region v1alpha1.Region) bool {
	for _, l := range account.Status.SessionListing {
		if l.Region == region {
			return *l.EverListed
		}
	}
	if len(account.Status.SessionListing) > 0 {
		return false
	}
	c := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionSessionsListable)
	return c != nil && (c.Status == metav1.ConditionTrue || c.Reason == v1alpha1.ReasonListingLost)
}

// setListing makes the condition of the answers of the declared regions.
func setListing(account *v1alpha1.AWSAccount) {
	set := func(status metav1.ConditionStatus, reason, message string) {
		reconcile.SetCondition(&account.Status.Conditions, account.Generation, v1alpha1.ConditionSessionsListable, status, reason, message)
	}
	reason := v1alpha1.ReasonNeverListed
	var texts []string
	for _, l := range account.Status.SessionListing {
		if l.Message == "" || !slices.Contains(account.Spec.Regions, l.Region) {
			continue
		}
		if *l.EverListed {
			reason = v1alpha1.ReasonListingLost
		}
		texts = append(texts, fmt.Sprintf("%s: %s", l.Region, l.Message))
	}
	if len(texts) == 0 {
		set(metav1.ConditionTrue, v1alpha1.ReasonSessionsListed, "Open sessions can be listed in every region of this account.")
		return
	}
	message := "Open sessions cannot be listed in these regions, so a revocation cannot end them there. " + strings.Join(texts[:min(len(texts), maxUnlisted)], " ")
	if more := len(texts) - maxUnlisted; more > 0 {
		message += fmt.Sprintf(" %d more regions are in status.sessionListing.", more)
	}
	set(metav1.ConditionFalse, reason, message)
}
