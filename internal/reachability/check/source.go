package check

// sources name what nodes are that are neither EC2 instances nor machines that registered
// with an activation, by SourceType. Azure came with the SDK's ssm 1.71 and Google Cloud
// with 1.83.
var sources = map[string]string{
	"AWS::IoT::Thing":                   "Greengrass core device",
	"Microsoft.Compute/virtualMachines": "Azure virtual machine",
	"compute.googleapis.com/Instance":   "Google Compute Engine instance",
}

// Kind names what the node is, with its id there, where it is neither an EC2 instance nor
// a machine that registered with an activation: "Azure virtual machine vm-7". Otherwise it
// is empty.
func (n *Node) Kind() string {
	agent, _ := n.Agent.Get()
	kind := sources[agent.Source]
	if kind != "" && agent.SourceID != "" {
		kind += " " + agent.SourceID
	}
	return kind
}
