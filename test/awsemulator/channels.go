package awsemulator

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/datachannel"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/kms"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/shell"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// nodeUser is the user as whom agents run shells.
const nodeUser = "ssm-user"

// Agents after muxVersion carry many connections in a port session. Clients after
// noKeepAliveVersion want no keep-alives in it.
const (
	muxVersion         = "3.0.196.0"
	noKeepAliveVersion = "1.2.331.0"
)

// openChannel admits a client to the data channel of a session. Its URL is on the
// endpoint that the client has called.
func (s *Server) openChannel(a *Account, region string, req *service.Request, session *ssm.Session) (address, token string) {
	token = s.random.Secret(64)
	s.channels.Admit(token, session.ID, func() datachannel.Session {
		opened := datachannel.Session{ID: session.ID, Target: session.Target}
		if s.nodeChannels.Has(session.Target) {
			s.nodeChannels.Start(session.Target, startOf(a.Region(region).SSM, session))
		} else {
			opened.Agent = datachannel.NewAgent(s.agentOptions(a, region, session))
		}
		return opened
	})
	cell := base64.RawURLEncoding.EncodeToString([]byte(s.random.Secret(24)))
	address = "ws" + strings.TrimPrefix(req.Endpoint, "http") + dataChannelPath + session.ID + "?role=publish_subscribe&cell-number=" + cell
	return address, token
}

// agentOptions is what the agent of the session's node does, by the document.
func (s *Server) agentOptions(a *Account, regionName string, session *ssm.Session) datachannel.AgentOptions {
	region := a.Region(regionName)
	plan := region.SSM.Plan(session)
	node, ok := region.Fleet.Node(session.Target)
	if !ok || node.Agent == nil {
		node = &fleet.Node{ID: session.Target, Agent: &fleet.Agent{}}
	}
	o := datachannel.AgentOptions{
		Version: node.Agent.Version, Type: datachannel.SessionType{SessionType: plan.Type, Properties: plan.Properties},
		Handshake: plan.Type != "Standard_Stream",
	}
	if plan.Type == "Port" {
		// Agents encrypt no port sessions.
		o.Start = portServer(plan, node)
		return o
	}
	o.KMSKey = plan.KMSKey
	o.DataKey = func(encrypted []byte) ([]byte, error) {
		scope := service.Scope{Partition: a.Partition, Region: regionName, AccountID: a.ID}
		return (&kms.World{Region: s.keysOf}).OpenDataKey(scope, encrypted, map[string]string{
			"aws:ssm:SessionId": session.ID, "aws:ssm:TargetId": session.Target,
		})
	}
	host := node.Name
	if host == "" {
		host = node.ID
	}
	o.Start = func(string, func()) datachannel.Program {
		return shell.New(shell.Options{User: nodeUser, Host: host, Command: commandOf(plan)})
	}
	return o
}

// portServer is what answers behind the port of a session.
func portServer(plan ssm.Plan, node *fleet.Node) datachannel.Start {
	if plan.Properties["type"] == "LocalPortForwarding" && after(node.Agent.Version, muxVersion) {
		return datachannel.MuxEcho(func(client string) bool { return !after(client, noKeepAliveVersion) })
	}
	return datachannel.Echo
}

// commandOf is the command of a session that runs one, empty for a shell.
func commandOf(plan ssm.Plan) string {
	system, _ := plan.Properties["linux"].(map[string]any)
	switch commands := system["commands"].(type) {
	case string:
		return commands
	case []any:
		// The shell runs one.
		if len(commands) > 0 {
			return fmt.Sprint(commands[0])
		}
	}
	return ""
}

// after reports whether a version of the form 3.0.196.0 comes after another.
func after(version, other string) bool {
	x, y := strings.Split(version, "."), strings.Split(other, ".")
	for i := range min(len(x), len(y)) {
		a, _ := strconv.Atoi(x[i])
		b, _ := strconv.Atoi(y[i])
		if a != b {
			return a > b
		}
	}
	return len(x) > len(y)
}
