package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is a version of the agent: four numbers. The last ones may be absent
// and are 0 then.
type Version [4]uint32

// ParseVersion reads a version such as 3.2.582.0: one to four numbers.
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(s, ".")
	if len(parts) > len(Version{}) {
		return Version{}, fmt.Errorf("%q is no version of the agent: it has more than four numbers", s)
	}
	var v Version
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || strings.HasPrefix(part, "+") {
			return Version{}, fmt.Errorf("%q is no version of the agent: %q is no number", s, part)
		}
		v[i] = uint32(n)
	}
	return v, nil
}

// Before reports whether v is older than o.
func (v Version) Before(o Version) bool { return slices.Compare(v[:], o[:]) < 0 }

// String is the version as AWS writes it.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3])
}

// Since when the agent can do things. AWS's sources differ slightly, so nothing
// is refused on their account.
var (
	sinceSession        = Version{2, 3, 68, 0}
	sinceKMS            = Version{2, 3, 539, 0}
	sinceRunAs          = Version{2, 3, 672, 0}
	sinceShellProfile   = Version{3, 0, 161, 0}
	sincePort           = Version{3, 0, 222, 0}
	sinceStreaming      = Version{3, 0, 284, 0}
	sinceRemoteHost     = Version{3, 1, 1188, 0}
	sinceHostManagement = Version{3, 2, 582, 0}
	// sinceMessages: from then on the agent takes commands over ssmmessages and
	// does without ec2messages. It could not be tried.
	sinceMessages = Version{3, 3, 40, 0}
)

// feature is something that a document asks of the agent.
type feature struct {
	name  string
	since Version
	used  func(c *Content) bool
}

// features, by age.
var features = []feature{
	{"sessions", sinceSession, func(*Content) bool { return true }},
	{"encrypted sessions (kmsKeyId)", sinceKMS, func(c *Content) bool { return c.SessionKey != "" }},
	{"runAs", sinceRunAs, func(c *Content) bool { return c.RunAs }},
	{"shellProfile", sinceShellProfile, func(c *Content) bool { return c.ShellProfile }},
	{"port forwarding and SSH", sincePort, func(c *Content) bool { return c.SessionType == SessionPort }},
	{"log streaming", sinceStreaming, func(c *Content) bool { return c.LogGroup != "" && c.Streaming }},
	{"port forwarding to a remote host", sinceRemoteHost, func(c *Content) bool { return c.RemoteHost }},
}
