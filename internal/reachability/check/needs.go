package check

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// SeenWithin is how recently an agent that is Online must have reported for its
// node to count as connected. Agents report every five minutes.
const SeenWithin = 10 * time.Minute

// hybridPrefix begins the ids of nodes that are no EC2 instances.
const hybridPrefix = "mi-"

// Hybrid reports whether the node is no EC2 instance.
func (n *Node) Hybrid() bool { return strings.HasPrefix(n.ID, hybridPrefix) }

// NeedsConnectionStatus reports whether ssm:GetConnectionStatus has to be asked
// for the node, because its agent's reports do not show that it is connected.
func NeedsConnectionStatus(agent Known[Agent], now time.Time) bool {
	a, known := agent.Get()
	return !known || !a.reporting(now)
}

// reporting reports whether the agent is online and reported recently.
func (a *Agent) reporting(now time.Time) bool {
	return a.Registered && a.PingStatus == PingOnline && now.Sub(a.LastPing) <= SeenWithin
}

// NeedsNetwork reports whether facts on the instance, its role and its network
// are needed: the node is not known to be connected. Where it is, they only show
// whether the sessions' logs and keys are reached and allowed.
func NeedsNetwork(f *Facts) bool { return connection(f) != linkUp }

// actionReport is what an agent reports with. IAM judges it on the node itself.
const actionReport = "ssm:UpdateInstanceInformation"

// channelPermissions are what every agent also calls, on any resource.
var channelPermissions = []Permission{
	{"ssmmessages:CreateControlChannel", "*"},
	{"ssmmessages:CreateDataChannel", "*"},
	{"ssmmessages:OpenControlChannel", "*"},
	{"ssmmessages:OpenDataChannel", "*"},
}

// ServiceManaged reports whether the name of a role, with its path before it, is that of a
// role which AWS made and keeps: its path is reserved.
func ServiceManaged(name string) bool {
	name = strings.TrimPrefix(name, "/")
	return strings.HasPrefix(name, "aws-reserved/") || strings.HasPrefix(name, "aws-service-role/")
}

// Substituted reports whether the role of default host management replaces that
// of the node's profile: the agent uses it where the profile's role lacks the
// permission to report the instance, which is connected all the same.
func Substituted(f *Facts) bool {
	role, read := f.Role.Get()
	if !read || f.Node.Hybrid() || connection(f) != linkUp {
		return false
	}
	may, known := f.mayReport(&role)
	return role.Name == "" || known && !may
}

// mayReport is whether a role may report the instances that have it.
func (f *Facts) mayReport(role *Role) (may, known bool) {
	return role.Allowed[Permission{actionReport, f.nodeARN(false, "*")}].Get()
}

// agentPermissions are what every agent calls. A role is shared by many nodes,
// and asked once for all of them: whether it may report any node of the kind. It
// could not be tried that the simulation takes an ARN with "*" as what a policy's
// wildcards match.
func agentPermissions(f *Facts) []Permission {
	needed := slices.Clone(channelPermissions)
	for _, hybrid := range []bool{false, true} {
		if f.Node.ID == "" || f.Node.Hybrid() == hybrid {
			needed = append(needed, Permission{actionReport, f.nodeARN(hybrid, "*")})
		}
	}
	return needed
}

// nodeARN is the ARN by which policies name a node, or with "*" all of a kind.
func (f *Facts) nodeARN(hybrid bool, id string) string {
	if hybrid {
		return f.arn("ssm", f.Node.Region, f.Node.Account, "managed-instance/"+id)
	}
	return f.arn("ec2", f.Node.Region, f.Node.Account, "instance/"+id)
}

// PermissionsNeeded lists what the node's role has to allow, with what the
// node's documents ask for: the keys of [Role.Allowed]. It is sorted. It
// contains keys of KMS once [Facts.Logging] has their ARNs. Without [Node.ID]
// it lists what the nodes of both kinds that share a role need.
func PermissionsNeeded(f *Facts) []Permission {
	needed := agentPermissions(f)
	for i := range f.Documents {
		content, _ := f.Documents[i].Content.Get()
		needed = append(needed, logPermissions(f, &content)...)
		needed = append(needed, bucketPermissions(f, &content)...)
		needed = append(needed, keyPermissions(f, &content)...)
	}
	slices.SortFunc(needed, func(a, b Permission) int {
		return cmp.Or(strings.Compare(a.Action, b.Action), strings.Compare(a.Resource, b.Resource))
	})
	return slices.Compact(needed)
}

// logPermissions: logs:DescribeLogGroups is a listing, which IAM grants on "*"
// or on log groups of any name.
func logPermissions(f *Facts, c *Content) []Permission {
	if c.LogGroup == "" || !c.logs() {
		return nil
	}
	arn := f.arn("logs", f.Node.Region, f.Node.Account, "log-group:")
	stream := arn + c.LogGroup + ":log-stream:session"
	return []Permission{
		{"logs:DescribeLogGroups", arn + ":log-stream:"},
		{"logs:CreateLogStream", stream},
		{"logs:DescribeLogStreams", stream},
		{"logs:PutLogEvents", stream},
	}
}

func bucketPermissions(f *Facts, c *Content) []Permission {
	if c.Bucket == "" || !c.logs() {
		return nil
	}
	bucket := f.arn("s3", "", "", c.Bucket)
	object := bucket + "/"
	if prefix := strings.Trim(c.KeyPrefix, "/"); prefix != "" {
		object += prefix + "/"
	}
	needed := []Permission{{"s3:PutObject", object + "session.log"}}
	if c.BucketEncryption {
		needed = append(needed, Permission{"s3:GetEncryptionConfiguration", bucket})
	}
	if key := f.bucketKey(c.Bucket); key != "" {
		needed = append(needed, Permission{"kms:GenerateDataKey", key})
	}
	return needed
}

// bucketKey is the ARN of the customer's key of a bucket, or empty. S3 has a data
// key made in the name of who writes.
func (f *Facts) bucketKey(name string) string {
	if f.Logging == nil {
		return ""
	}
	bucket, _ := f.Logging.Buckets[name].Get()
	return bucket.Key
}

// keyPermissions: the agent opens the data key that the user's client had made.
func keyPermissions(f *Facts, c *Content) []Permission {
	if arn := f.keyARN(c.SessionKey); arn != "" {
		return []Permission{{"kms:Decrypt", arn}}
	}
	return nil
}

// keyARN is the ARN of a key as a document names it, or empty.
func (f *Facts) keyARN(name string) string {
	if strings.HasPrefix(name, "arn:") && strings.Contains(name, ":key/") {
		return name
	}
	if f.Logging == nil {
		return ""
	}
	return f.Logging.Keys[name].ARN
}

func (f *Facts) arn(service, region, account, resource string) string {
	return "arn:" + f.Node.Partition + ":" + service + ":" + region + ":" + account + ":" + resource
}
