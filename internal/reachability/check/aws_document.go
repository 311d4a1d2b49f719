package check

// The session documents of AWS that need more of the agent than a plain session.
var awsDocuments = map[string]Content{
	"AWS-StartSSHSession":                        {SessionType: SessionPort},
	"AWS-StartPortForwardingSession":             {SessionType: SessionPort},
	"AWS-StartPortForwardingSessionToSocket":     {SessionType: SessionPort},
	"AWS-StartPortForwardingSessionToRemoteHost": {SessionType: SessionPort, RemoteHost: true},
	"AWS-StartInteractiveCommand":                {SessionType: "InteractiveCommands"},
	"AWS-StartNonInteractiveCommand":             {SessionType: "NonInteractiveCommands"},
	"AWS-PasswordReset":                          {SessionType: "InteractiveCommands"},
}

// SessionPort is the session type of port forwarding and SSH.
const SessionPort = "Port"

// AWSDocument is what a session document of AWS's own asks of the node, without
// a call. It does not know all of them.
func AWSDocument(name string) (Content, bool) {
	content, known := awsDocuments[name]
	return content, known
}
