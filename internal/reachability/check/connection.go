package check

// link is whether a session can be opened on the node.
type link int

const (
	linkUnknown link = iota
	linkUp
	linkDown
)

// connection judges by ssm:GetConnectionStatus where it was asked, and else by
// the agent's reports. Online can come before the connection by more than a
// minute, so never is a node up that GetConnectionStatus calls notconnected.
func connection(f *Facts) link {
	if status, known := f.Node.Connection.Get(); known {
		switch status {
		case StatusConnected:
			return linkUp
		case StatusNotConnected:
			return linkDown
		default:
			return linkUnknown
		}
	}
	agent, known := f.Node.Agent.Get()
	if known && agent.reporting(f.Now) {
		return linkUp
	}
	return linkUnknown
}
