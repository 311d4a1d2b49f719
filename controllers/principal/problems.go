package principal

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// problem is what is wrong with a principal, or with one object's part in it.
type problem struct {
	state           v1alpha1.PrincipalState
	reason, message string
}

// problemOf judges an error of AWS. ok is false for what heals by itself and is
// not shown: throttling, and writes that met another writer.
func problemOf(err error) (p problem, ok bool) {
	switch cloud.Classify(err) {
	case cloud.Refused:
		return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonAccessDenied, cloud.Sentence(err)}, true
	case cloud.Invalid:
		return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonInvalid, cloud.Sentence(err)}, true
	case cloud.Missing:
		return problem{v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound, cloud.Sentence(err)}, true
	case cloud.Conflict:
		return problem{v1alpha1.PrincipalFailed, v1alpha1.ReasonInvalid, cloud.Sentence(err)}, true
	case cloud.Transport:
		return problem{v1alpha1.PrincipalFailed, v1alpha1.ReasonAWSUnavailable, cloud.Sentence(err)}, true
	default:
		return problem{}, false
	}
}

// compileProblems returns for each object what keeps its grant out of the policies.
func compileProblems(err error, incomplete []string) map[types.UID]problem {
	problems := map[types.UID]problem{}
	for _, e := range joined(err) {
		var invalid *policy.InvalidError
		var large *policy.TooLargeError
		switch {
		case errors.As(e, &invalid):
			problems[types.UID(invalid.Grant)] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonInvalidSpec, sentence(e.Error())}
		case errors.As(e, &large):
			for _, id := range large.Grants {
				problems[types.UID(id)] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonQuotaExceeded, sentence(e.Error())}
			}
			for _, id := range incomplete {
				if _, told := problems[types.UID(id)]; !told {
					problems[types.UID(id)] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonQuotaExceeded, sentence(e.Error())}
				}
			}
		}
	}
	return problems
}

func joined(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// sentence makes an error read as one.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

func notFound(kind v1alpha1.PrincipalKind, name, accountID string) problem {
	return problem{
		v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound,
		fmt.Sprintf("Account %s has no %s named %q; create it in IAM or correct the name. It is looked for again at every resync.",
			accountID, strings.ToLower(string(kind)), name),
	}
}
