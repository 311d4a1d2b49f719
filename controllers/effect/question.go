package effect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// maxSimulations bounds the calls for one principal at a time. Grants with other
// conditions than the first ones are not asked about.
const maxSimulations = 4

// question is one simulation, and the samples that it answers, by object.
type question struct {
	simulation iam.Simulation
	samples    map[types.UID][]policy.Sample
}

// questionsOf puts the samples of grants that have the same circumstances into one
// question each.
func questionsOf(account accounts.Entry, p iam.Principal, arn string, granted []*v1alpha1.SessionAccess, now time.Time) []question {
	acct := policy.Account{ID: account.AccountID, Partition: account.Partition}
	var questions []question
	byContext := map[string]int{}
	for _, access := range granted {
		grant := grants.Policy(string(access.UID), access.Status.Applied.Granted)
		for _, sample := range grant.Samples(acct, policy.Principal{Kind: policy.Kind(p.Kind), Name: p.Name}, now) {
			context := contextOf(p, arn, &sample)
			key := fmt.Sprint(context) // It is sorted.
			i, known := byContext[key]
			if !known {
				if len(questions) == maxSimulations {
					continue
				}
				i = len(questions)
				byContext[key] = i
				questions = append(questions, question{
					simulation: iam.Simulation{PrincipalARN: arn, Actions: []string{policy.ActionStart}, Context: context},
					samples:    map[types.UID][]policy.Sample{},
				})
			}
			q := &questions[i]
			q.samples[access.UID] = append(q.samples[access.UID], sample)
			for _, resource := range []string{sample.Node, sample.Document} {
				if !slices.Contains(q.simulation.Resources, resource) {
					q.simulation.Resources = append(q.simulation.Resources, resource)
				}
			}
		}
	}
	return questions
}

func contextOf(p iam.Principal, arn string, sample *policy.Sample) map[string][]string {
	context := iam.CallContext(arn, sample.Region)
	maps.Copy(context, sample.Context)
	if p.Kind == iam.Group {
		delete(context, "aws:PrincipalArn") // A member calls, not the group.
	}
	return context
}

// arnOf is the ARN of a principal that IAM shows.
func arnOf(account accounts.Entry, view *iam.PrincipalView) string {
	return "arn:" + account.Partition + ":iam::" + account.AccountID + ":" + strings.ToLower(string(view.Kind)) + view.Path + view.Name
}
