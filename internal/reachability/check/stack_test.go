package check_test

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	account = "488821267897"
	region  = "ap-northeast-1"
	node    = "i-051cac51072605f39"
	vpc     = "vpc-stg"
	subnet  = "subnet-private1"
	// instances are those that a role may report.
	instances = "arn:aws:ec2:ap-northeast-1:488821267897:instance/*"
	key       = "arn:aws:kms:ap-northeast-1:488821267897:key/logs"
)

// stack is a private subnet with three interface endpoints and one instance,
// whose agent has stopped reporting for no visible reason. Its document logs to
// CloudWatch and S3, over endpoints too.
func stack() *check.Facts {
	f := &check.Facts{
		Now: noon,
		Node: check.Node{
			ID: node, Account: account, Partition: "aws", Region: region,
			Agent: check.Is(check.Agent{
				Registered: true, PingStatus: "ConnectionLost", LastPing: noon.Add(-time.Hour), Version: "3.3.380.0", Platform: "Linux",
			}),
			Connection: check.Is(check.StatusNotConnected),
		},
		Instance: check.Is(check.Instance{
			State: "running", Launched: noon.Add(-24 * time.Hour), ProfileARN: "arn:aws:iam::488821267897:instance-profile/stg",
			Metadata: check.Metadata{Endpoint: "enabled", Tokens: "required"}, VPC: vpc, Subnet: subnet,
			Interfaces: []check.Interface{{ID: "eni-node", Subnet: subnet, Groups: []string{"sg-node"}, Address: "10.0.2.10"}},
		}),
		DefaultRole: check.Is(check.Role{}),
		Network:     network(),
		Documents: []check.Document{
			{Name: "SSM-SessionManagerRunShell", Content: check.Is(check.Content{SessionType: "Standard_Stream"})},
			{Name: "audited", Content: check.Is(check.Content{
				SessionType: "Standard_Stream", Bucket: "logs", KeyPrefix: "SessionManager", BucketEncryption: true,
				LogGroup: "sessions", LogGroupEncryption: true, Streaming: true, SessionKey: "alias/session",
			})},
		},
		Logging: &check.Logging{
			LogGroups: map[string]check.Known[check.LogGroup]{"sessions": check.Is(check.LogGroup{Exists: true, Key: key})},
			Buckets:   map[string]check.Known[check.Bucket]{"logs": check.Is(check.Bucket{Exists: true, Encrypted: true})},
			Keys: map[string]check.Key{
				key:             {State: check.Is("Enabled"), ARN: key, Policy: check.Is(keyPolicy("sessions"))},
				"alias/session": {State: check.Is("Enabled"), ARN: "arn:aws:kms:ap-northeast-1:488821267897:key/session"},
			},
		},
	}
	f.Role = check.Is(role(f))
	return f
}

func role(f *check.Facts) check.Role {
	r := check.Role{
		Name:    "stg-EC2SSMRole",
		Trust:   check.Is(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`),
		Allowed: map[check.Permission]check.Known[bool]{},
	}
	for _, p := range check.PermissionsNeeded(f) {
		r.Allowed[p] = check.Is(true)
	}
	return r
}

// trust of a role in one service.
func trust(service string) string {
	return `{"Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}

func keyPolicy(group string) string {
	return `{"Statement":[
	{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::488821267897:root"},"Action":"kms:*","Resource":"*"},
	{"Effect":"Allow","Principal":{"Service":"logs.ap-northeast-1.amazonaws.com"},
	 "Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],"Resource":"*",
	 "Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:ap-northeast-1:488821267897:log-group:` + group + `"}}}]}`
}

func endpoint(service string) check.Endpoint {
	return check.Endpoint{
		ID: "vpce-" + service, VPC: vpc, Service: "com.amazonaws." + region + "." + service, Type: "Interface", State: "available",
		Subnets: []string{subnet}, Groups: []string{"sg-endpoint"}, PrivateDNS: true,
		Policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	}
}

func network() *check.Network {
	return &check.Network{
		VPC: vpc, DNSSupport: check.Is(true), DNSHostnames: check.Is(true),
		Subnets: check.Is(map[string]check.Subnet{
			subnet:             {CIDRs: []string{"10.0.2.0/24"}, Zone: region + "a"},
			"subnet-endpoints": {CIDRs: []string{"10.0.3.0/24"}, Zone: region + "c"},
		}),
		RouteTables: check.Is([]check.RouteTable{
			{ID: "rtb-main", Main: true, Routes: []check.Route{{Destination: "10.0.0.0/16", Target: "local"}}},
			{ID: "rtb-private", Subnets: []string{subnet}, Routes: []check.Route{{Destination: "10.0.0.0/16", Target: "local"}}},
		}),
		ACLs: check.Is([]check.NetworkACL{{ID: "acl-default", Subnets: []string{subnet, "subnet-endpoints"}, Entries: []check.ACLEntry{
			{Number: 100, Egress: true, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 32767, Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 100, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 32767, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 101, Egress: true, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "::/0"},
			{Number: 101, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "::/0"},
		}}}),
		Rules: check.Is(map[string][]check.Rule{
			"sg-node": {{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}},
			"sg-endpoint": {
				{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
				{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/16"},
			},
			"sg-closed": nil,
		}),
		Endpoints: check.Is([]check.Endpoint{
			endpoint("ssm"), endpoint("ssmmessages"), endpoint("ec2messages"), endpoint("logs"), endpoint("s3"), endpoint("kms"),
		}),
	}
}

// hybrid is a registered machine elsewhere.
func hybrid() *check.Facts {
	f := stack()
	f.Node.ID = "mi-0123456789abcdef0"
	f.Instance, f.Network = check.Known[check.Instance]{}, nil
	f.Tier = check.Is(check.Tier{Advanced: true})
	r := role(f)
	r.Trust = check.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"488821267897"}}}}`)
	f.Role = check.Is(r)
	return f
}

// The changes below are made on facts of the test's own.

func change[T any](k *check.Known[T], how func(*T)) {
	v, _ := k.Get()
	how(&v)
	*k = check.Is(v)
}

func onInstance(how func(*check.Instance)) func(*check.Facts) {
	return func(f *check.Facts) { change(&f.Instance, how) }
}

func onPrimary(how func(*check.Interface)) func(*check.Facts) {
	return onInstance(func(i *check.Instance) {
		if len(i.Interfaces) > 0 {
			how(&i.Interfaces[0])
		}
	})
}

func onAgent(how func(*check.Agent)) func(*check.Facts) {
	return func(f *check.Facts) { change(&f.Node.Agent, how) }
}

func onRole(how func(*check.Role)) func(*check.Facts) {
	return func(f *check.Facts) { change(&f.Role, how) }
}

func onNetwork(how func(*check.Network)) func(*check.Facts) {
	return func(f *check.Facts) {
		if f.Network != nil {
			how(f.Network)
		}
	}
}

func onContent(how func(*check.Content)) func(*check.Facts) {
	return func(f *check.Facts) { change(&f.Documents[1].Content, how) }
}

// onEndpoint changes the endpoint of a service.
func onEndpoint(service string, how func(*check.Endpoint)) func(*check.Facts) {
	return onNetwork(func(n *check.Network) {
		list, _ := n.Endpoints.Get()
		for i := range list {
			if list[i].ID == "vpce-"+service {
				how(&list[i])
			}
		}
	})
}

// disallow takes a permission from the role.
func disallow(action, resource string) func(*check.Facts) {
	return onRole(func(r *check.Role) {
		if r.Allowed != nil {
			r.Allowed[check.Permission{Action: action, Resource: resource}] = check.Is(false)
		}
	})
}

// without takes endpoints away.
func without(services ...string) func(*check.Facts) {
	return func(f *check.Facts) {
		for _, s := range services {
			onEndpoint(s, func(e *check.Endpoint) { e.VPC = "vpc-other" })(f)
		}
	}
}

// routed gives the node's subnet more routes.
func routed(routes ...check.Route) func(*check.Facts) {
	return onNetwork(func(n *check.Network) {
		tables, _ := n.RouteTables.Get()
		tables[1].Routes = append(tables[1].Routes, routes...)
	})
}

func rules(group string, list ...check.Rule) func(*check.Facts) {
	return onNetwork(func(n *check.Network) {
		groups, _ := n.Rules.Get()
		groups[group] = list
	})
}

func entries(list ...check.ACLEntry) func(*check.Facts) {
	return onNetwork(func(n *check.Network) {
		acls, _ := n.ACLs.Get()
		acls[0].Entries = append(list, acls[0].Entries...)
	})
}

func together(changes ...func(*check.Facts)) func(*check.Facts) {
	return func(f *check.Facts) {
		for _, c := range changes {
			c(f)
		}
	}
}

func changed(f *check.Facts, changes ...func(*check.Facts)) *check.Facts {
	together(changes...)(f)
	return f
}

func find(checks []check.Check, name check.Name) (check.Check, bool) {
	for _, c := range checks {
		if c.Name == name {
			return c, true
		}
	}
	return check.Check{}, false
}
