package ssm

import (
	"crypto/rsa"
	"crypto/subtle"
	"maps"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

// Registration is what a machine shows to become a managed node.
type Registration struct {
	ActivationID   string `json:"activationId"`
	ActivationCode string `json:"activationCode"`
	// Name is the node's; that of the activation when empty.
	Name string `json:"name,omitempty"`
	// Agent is the machine's.
	Agent fixtures.Agent `json:"agent,omitempty"`
	// PublicKey and Fingerprint are those of a real agent. Its node is offline until it
	// reports, which has not been seen on a real account; one without a key exists only in
	// the emulator, and is online.
	PublicKey   *rsa.PublicKey `json:"-"`
	Fingerprint string         `json:"-"`
}

// Register makes a managed node of a machine and returns its id. The node has
// the tags of the activation. The error is AWS's; the codes for
// a used-up activation and for too many nodes are not verified, for an expired
// one and a wrong code they are those that agents log.
func (r *Region) Register(now time.Time, m Registration) (string, error) {
	id := "mi-" + r.Random.Hex(17)
	return id, r.update(now, func(s *State) error {
		a, err := r.admit(s, now, m)
		if err != nil {
			return err
		}
		used := *a
		used.Registered++
		s.activations = s.activations.With(a.ID, &used)
		r.Fleet.Put(managedNode(id, now, a, m))
		return nil
	})
}

// admit finds the activation that lets a machine in.
func (r *Region) admit(s *State, now time.Time, m Registration) (*Activation, error) {
	a, ok := s.activations.Get(m.ActivationID)
	if !ok || subtle.ConstantTimeCompare([]byte(a.Code), []byte(m.ActivationCode)) != 1 {
		return nil, InvalidActivation()
	}
	limit := r.Limits().StandardNodes
	switch {
	case a.Expired(now):
		return nil, invalid("ActivationExpired", "The activation has expired.")
	case a.Registered >= a.Limit:
		return nil, invalid("RegistrationLimitExceeded", "The activation's limit of %d registrations is reached.", a.Limit)
	case s.tier.inForce(now) == TierStandard && r.hybridNodes() >= limit:
		return nil, invalid("RegistrationLimitExceeded", "Registration limit of %d reached for SSM On-prem managed instances.", limit)
	}
	return a, nil
}

// hybridNodes counts the nodes that are not of EC2.
func (r *Region) hybridNodes() int {
	n := 0
	for node := range r.Fleet.Nodes().Values() {
		if node.Managed {
			n++
		}
	}
	return n
}

func managedNode(id string, now time.Time, a *Activation, m Registration) *fleet.Node {
	name := m.Name
	if name == "" {
		name = a.Name
	}
	n := &fleet.Node{
		ID: id, Name: name, Tags: maps.Clone(a.Tags), Managed: true, Launched: now, ActivationID: a.ID, Role: a.Role,
		PublicKey: m.PublicKey, Fingerprint: m.Fingerprint, Agent: &fleet.Agent{Since: now},
	}
	if m.PublicKey == nil {
		n.Agent = fleet.NewAgent(m.Agent, now)
	}
	return n
}
