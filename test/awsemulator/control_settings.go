package awsemulator

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// settings are what POST /_emulator/settings can set; what is left out stays.
type settings struct {
	EvaluateIAM     *bool            `json:"evaluateIAM,omitempty"`
	ReadDelay       *faults.Duration `json:"readDelay,omitempty"`
	EvaluationDelay *faults.Duration `json:"evaluationDelay,omitempty"`
	SessionDelay    *faults.Duration `json:"sessionDelay,omitempty"`
	SessionEnding   *faults.Duration `json:"sessionEnding,omitempty"`
	DocumentDelay   *faults.Duration `json:"documentDelay,omitempty"`
	ActivationDelay *faults.Duration `json:"activationDelay,omitempty"`
	TierUp          *faults.Duration `json:"tierUp,omitempty"`
	TierDown        *faults.Duration `json:"tierDown,omitempty"`
	Spread          *bool            `json:"spread,omitempty"`
	ShortPages      *float64         `json:"shortPages,omitempty"`
}

func (s *Server) settings() settings {
	s.mu.RLock()
	evaluate := s.evaluate
	s.mu.RUnlock()
	c := s.Consistency()
	share, spread := s.paging.Short(), c.Spread
	return settings{
		EvaluateIAM: &evaluate, Spread: &spread, ShortPages: &share,
		ReadDelay: inWords(c.Reads), EvaluationDelay: inWords(c.Evaluation), SessionDelay: inWords(c.Sessions),
		DocumentDelay: inWords(c.Documents), ActivationDelay: inWords(c.Activations),
		SessionEnding: inWords(s.sessionEnding.Load()), TierUp: inWords(s.tierUp.Load()), TierDown: inWords(s.tierDown.Load()),
	}
}

func inWords(d time.Duration) *faults.Duration { return new(faults.Duration(d)) }

// set changes a time where a new one is given.
func set(d *time.Duration, to *faults.Duration) {
	if to != nil {
		*d = time.Duration(*to)
	}
}

func (s *Server) controlSettings(r *http.Request) (any, error) {
	in, err := readControl[settings](r)
	if err != nil {
		return nil, err
	}
	c, ending, tier := s.Consistency(), s.sessionEnding.Load(), ssm.TierTimes{Up: s.tierUp.Load(), Down: s.tierDown.Load()}
	set(&c.Reads, in.ReadDelay)
	set(&c.Evaluation, in.EvaluationDelay)
	set(&c.Sessions, in.SessionDelay)
	set(&c.Documents, in.DocumentDelay)
	set(&c.Activations, in.ActivationDelay)
	set(&ending, in.SessionEnding)
	set(&tier.Up, in.TierUp)
	set(&tier.Down, in.TierDown)
	s.SetSessionEndingTime(ending)
	s.SetTierTimes(tier)
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
