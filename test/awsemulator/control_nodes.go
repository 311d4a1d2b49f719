package awsemulator

import (
	"net/http"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

func (s *Server) regionOf(r *http.Request) (*Region, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	return a.Region(r.PathValue("region")), nil
}

// nodeView is a machine as the control endpoint shows it.
type nodeView struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	State     string            `json:"state,omitempty"`
	Online    bool              `json:"online"`
	Connected bool              `json:"connected"`
}

func (s *Server) viewNode(n *fleet.Node) nodeView {
	v := nodeView{ID: n.ID, Name: n.Name, Tags: n.Tags, State: n.State}
	if n.Agent != nil {
		v.Online, v.Connected = n.Agent.IsOnline(s.clock.Now()), n.Agent.Connected
	}
	return v
}

func (s *Server) controlNodes(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	list := []nodeView{}
	for n := range region.Fleet.Nodes().Values() {
		list = append(list, s.viewNode(n))
	}
	return list, nil
}

// controlAddNodes adds machines, and what connects them, written as in a
// fixture's region.
func (s *Server) controlAddNodes(r *http.Request) (any, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[fixtures.Region](r)
	if err != nil {
		return nil, err
	}
	if err := a.Region(r.PathValue("region")).load(in); err != nil {
		return nil, err
	}
	return nil, a.addProfiles(in.Instances)
}

// controlNode changes a machine; what is left out stays.
func (s *Server) controlNode(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[struct {
		Online    *bool             `json:"online"`
		Connected *bool             `json:"connected"`
		State     *string           `json:"state"`
		Tags      map[string]string `json:"tags"`
	}](r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("node")
	if in.Online != nil {
		connected := *in.Online
		if in.Connected != nil {
			connected = *in.Connected
		}
		if err := region.Fleet.SetAgent(id, *in.Online, connected); err != nil {
			return nil, err
		}
	}
	err = region.Fleet.Change(id, func(n *fleet.Node) {
		if in.State != nil {
			n.State = *in.State
		}
		if in.Tags != nil {
			n.Tags = in.Tags
		}
		if in.Connected != nil && in.Online == nil && n.Agent != nil {
			n.Agent.Connected = *in.Connected
		}
	})
	if err != nil {
		return nil, err
	}
	n, _ := region.Fleet.Node(id)
	return s.viewNode(n), nil
}

// sessionView is a session as the control endpoint shows it.
type sessionView struct {
	ID       string     `json:"id"`
	Target   string     `json:"target"`
	Owner    string     `json:"owner"`
	Document string     `json:"document"`
	Status   string     `json:"status"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended,omitempty"`
}

func (s *Server) controlSessions(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	now, list := s.clock.Now(), []sessionView{}
	for x := range region.SSM.Sessions() {
		v := sessionView{
			ID: x.ID, Target: x.Target, Owner: x.Owner, Document: x.DocumentName, Status: string(x.Status(now)), Started: x.Started,
		}
		if !x.Active(now) {
			v.Ended = &x.Ended
		}
		list = append(list, v)
	}
	return list, nil
}

// controlOpenSession opens a session without asking whether its owner may.
func (s *Server) controlOpenSession(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[struct {
		Principal string `json:"principal"`
		Target    string `json:"target"`
		Document  string `json:"document"`
	}](r)
	if err != nil {
		return nil, err
	}
	id, err := s.OpenSession(in.Principal, r.PathValue("region"), in.Target, in.Document)
	if err != nil {
		return nil, err
	}
	opened, _ := region.SSM.Session(id)
	return map[string]string{"id": id, "owner": opened.Owner}, nil
}

func (s *Server) controlEndSession(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	region.SSM.End(s.clock.Now(), r.PathValue("session"))
	return nil, nil
}

// controlCutSession cuts the connection of a session's client.
func (s *Server) controlCutSession(r *http.Request) (any, error) {
	return map[string]bool{"cut": s.CutSession(r.PathValue("session"))}, nil
}

// CutSession cuts the connection of a session's client, as a network does. The session
// continues. It reports whether there was a connection.
func (s *Server) CutSession(session string) bool { return s.channels.Cut(session) }

// SessionConnected reports whether a client is connected to a session.
func (s *Server) SessionConnected(session string) bool { return s.channels.Connected(session) }

// OpenSession opens a session of a user, a role session or a federated user, by its ARN, without
// asking whether it may, and returns its id. An empty document is the default.
func (s *Server) OpenSession(principal, region, target, document string) (string, error) {
	account, caller, err := s.principalOf(nil, principal)
	if err != nil {
		return "", err
	}
	if document == "" {
		document = ssm.DefaultDocument
	}
	id := caller.SessionOwnerName() + "-" + s.random.SessionSuffix()
	account.Region(region).SSM.PutSession(&ssm.Session{
		ID: id, Target: target, Owner: caller.ARN, OwnerID: caller.UserID, DocumentName: document, Started: s.clock.Now(),
	})
	return id, nil
}
