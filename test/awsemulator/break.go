package awsemulator

import (
	"fmt"
	"net/http"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
)

// Break makes a machine unreachable by one cause, and shows its agent as AWS
// would then show it. The function that it returns undoes both.
func (s *Server) Break(account, region, node string, cause stack.Cause) (mend func() error, err error) {
	a := s.Account(account)
	if a == nil {
		return nil, fmt.Errorf("there is no account %s", account)
	}
	return a.Region(region).Stack.Break(node, cause)
}

func (s *Server) controlCauses(*http.Request) (any, error) {
	type cause struct {
		Cause  stack.Cause  `json:"cause"`
		Effect stack.Effect `json:"effect"`
	}
	list := []cause{}
	for _, c := range stack.Causes() {
		list = append(list, cause{c, stack.EffectOf(c)})
	}
	return list, nil
}

func (s *Server) controlBroken(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	return region.Stack.Broken(), nil
}

func (s *Server) controlBreak(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[stack.Broken](r)
	if err != nil {
		return nil, err
	}
	if _, err := region.Stack.Break(in.Node, in.Cause); err != nil {
		return nil, err
	}
	return region.Stack.Broken(), nil
}

func (s *Server) controlMend(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	if err := region.Stack.Mend(query.Get("node"), stack.Cause(query.Get("cause"))); err != nil {
		return nil, err
	}
	return region.Stack.Broken(), nil
}
