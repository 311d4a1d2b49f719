package emulator

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fixtures"
)

// settings are what POST /_emulator/settings can set; what is left out stays.
type settings struct {
	EvaluateIAM     *bool            `json:"evaluateIAM,omitempty"`
	ReadDelay       *faults.Duration `json:"readDelay,omitempty"`
	EvaluationDelay *faults.Duration `json:"evaluationDelay,omitempty"`
	SessionDelay    *faults.Duration `json:"sessionDelay,omitempty"`
	SessionEnding   *faults.Duration `json:"sessionEnding,omitempty"`
	Spread          *bool            `json:"spread,omitempty"`
	ShortPages      *float64         `json:"shortPages,omitempty"`
}

func (s *Server) settings() settings {
	s.mu.RLock()
	evaluate := s.evaluate
	s.mu.RUnlock()
	c := s.Consistency()
	reads, evaluation, sessions := faults.Duration(c.Reads), faults.Duration(c.Evaluation), faults.Duration(c.Sessions)
	share, ending := s.paging.Short(), faults.Duration(s.sessionEnding.Load())
	return settings{EvaluateIAM: &evaluate, ReadDelay: &reads, EvaluationDelay: &evaluation, SessionDelay: &sessions, SessionEnding: &ending, Spread: &c.Spread, ShortPages: &share}
}

func (s *Server) controlSettings(r *http.Request) (any, error) {
	in, err := readControl[settings](r)
	if err != nil {
		return nil, err
	}
	c := s.Consistency()
	if in.ReadDelay != nil {
		c.Reads = time.Duration(*in.ReadDelay)
	}
	if in.EvaluationDelay != nil {
		c.Evaluation = time.Duration(*in.EvaluationDelay)
	}
	if in.SessionDelay != nil {
		c.Sessions = time.Duration(*in.SessionDelay)
	}
	if in.SessionEnding != nil {
		s.SetSessionEndingTime(time.Duration(*in.SessionEnding))
	}
	if in.Spread != nil {
		c.Spread = *in.Spread
	}
	s.SetConsistency(c)
	if in.EvaluateIAM != nil {
		s.SetEvaluateIAM(*in.EvaluateIAM)
	}
	if in.ShortPages != nil {
		s.SetShortPages(*in.ShortPages)
	}
	return s.settings(), nil
}

func (s *Server) accountOf(r *http.Request) (*Account, error) {
	id := r.PathValue("account")
	a := s.Account(id)
	if a == nil {
		return nil, fmt.Errorf("there is no account %s", id)
	}
	return a, nil
}

func (s *Server) controlQuotas(r *http.Request) (any, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	quotas, err := readControl[map[string]int32](r)
	if err != nil {
		return nil, err
	}
	for name, value := range quotas {
		if !a.IAM.SetQuota(name, value) {
			return nil, fmt.Errorf("there is no quota %s", name)
		}
	}
	return a.IAM.Quotas(), nil
}

// controlEvaluate switches the judging of one account's callers.
func (s *Server) controlEvaluate(r *http.Request) (any, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[struct {
		EvaluateIAM bool `json:"evaluateIAM"`
	}](r)
	if err != nil {
		return nil, err
	}
	a.SetEvaluateIAM(in.EvaluateIAM)
	return nil, nil
}

func (s *Server) controlIAM(r *http.Request) (any, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	return a.IAM.Latest().Export(), nil
}

func (s *Server) controlAddAccount(r *http.Request) (any, error) {
	f, err := readControl[fixtures.Account](r)
	if err != nil {
		return nil, err
	}
	return nil, s.AddAccount(f)
}
