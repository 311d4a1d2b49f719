package iam

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// findEntity finds a user, group or role for an operation.
func findEntity(s *State, kind Kind, name *string) (*Entity, error) {
	if err := namePattern(kind).Check(aws.ToString(name)); err != nil {
		return nil, err
	}
	e, ok := s.Entity(kind, aws.ToString(name))
	if !ok {
		return nil, noSuchEntity(kind, aws.ToString(name))
	}
	return e, nil
}

// changeable finds an entity that an operation is going to change.
func changeable(s *State, kind Kind, name *string) (*Entity, error) {
	e, err := findEntity(s, kind, name)
	if err != nil {
		return nil, err
	}
	if e.protected() {
		return nil, protectedRole(e.Name)
	}
	return e, nil
}

// nameOfARN returns the last part of an ARN's path.
func nameOfARN(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
