package iam

import (
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

// The parts of a list over several trees, in their order. Each key is the
// part's letter and the key in its tree.
const (
	partUsers    = "a"
	partGroups   = "b"
	partRoles    = "c"
	partPolicies = "d"
	partAWS      = "e"
)

// part yields a tree's entries as one part of a list of several.
func part[V, T any](letter string, t ordered.Map[V], wrap func(V) T) func(after string) iter.Seq2[string, T] {
	return func(after string) iter.Seq2[string, T] {
		return func(yield func(string, T) bool) {
			within := ""
			switch {
			case after >= letter+"\xff":
				return
			case strings.HasPrefix(after, letter):
				within = after[1:]
			}
			for k, v := range t.After(within) {
				if !yield(letter+k, wrap(v)) {
					return
				}
			}
		}
	}
}

// joined yields parts one after the other.
func joined[T any](parts ...func(string) iter.Seq2[string, T]) func(string) iter.Seq2[string, T] {
	return func(after string) iter.Seq2[string, T] {
		return func(yield func(string, T) bool) {
			for _, p := range parts {
				for k, v := range p(after) {
					if !yield(k, v) {
						return
					}
				}
			}
		}
	}
}

func (s *State) awsTree() ordered.Map[*Policy] {
	t := ordered.New[*Policy]()
	for _, p := range s.aws {
		t = t.With(key(p.Name), p)
	}
	return t
}

// policySequence yields the policies of a scope: AWS's first, then the
// account's own.
func (s *State) policySequence(scope types.PolicyScopeType) func(string) iter.Seq2[string, *Policy] {
	same := func(p *Policy) *Policy { return p }
	own := part(partPolicies, s.policies, same)
	theirs := part(partAWS, s.awsTree(), same)
	switch scope {
	case types.PolicyScopeTypeAws:
		return theirs
	case types.PolicyScopeTypeLocal:
		return own
	default:
		return joined(own, theirs)
	}
}

// hasPrefix reports whether a path begins with the prefix asked for, if any.
func hasPrefix(path string, prefix *string) bool {
	return strings.HasPrefix(path, aws.ToString(prefix))
}
