package reach_test

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
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
func stack() *reach.Facts {
	f := &reach.Facts{
		Now: noon,
		Node: reach.Node{
			ID: node, Account: account, Partition: "aws", Region: region,
			Agent: reach.Is(reach.Agent{
				Registered: true, PingStatus: "ConnectionLost", LastPing: noon.Add(-time.Hour), Version: "3.3.380.0", Platform: "Linux",
			}),
			Connection: reach.Is(reach.StatusNotConnected),
		},
		Instance: reach.Is(reach.Instance{
			State: "running", Launched: noon.Add(-24 * time.Hour), ProfileARN: "arn:aws:iam::488821267897:instance-profile/stg",
			Metadata: reach.Metadata{Endpoint: "enabled", Tokens: "required"}, VPC: vpc, Subnet: subnet,
			Interfaces: []reach.Interface{{ID: "eni-node", Subnet: subnet, Groups: []string{"sg-node"}, Address: "10.0.2.10"}},
		}),
		DefaultRole: reach.Is(reach.Role{}),
		Network:     network(),
		Documents: []reach.Document{
			{Name: "SSM-SessionManagerRunShell", Content: reach.Is(reach.Content{SessionType: "Standard_Stream"})},
			{Name: "audited", Content: reach.Is(reach.Content{
				SessionType: "Standard_Stream", Bucket: "logs", KeyPrefix: "SessionManager", BucketEncryption: true,
				LogGroup: "sessions", LogGroupEncryption: true, Streaming: true, SessionKey: "alias/session",
			})},
		},
		Logging: &reach.Logging{
			LogGroups: map[string]reach.Known[reach.LogGroup]{"sessions": reach.Is(reach.LogGroup{Exists: true, Key: key})},
			Buckets:   map[string]reach.Known[reach.Bucket]{"logs": reach.Is(reach.Bucket{Exists: true, Encrypted: true})},
			Keys: map[string]reach.Key{
				key:             {State: reach.Is("Enabled"), ARN: key, Policy: reach.Is(keyPolicy("sessions"))},
				"alias/session": {State: reach.Is("Enabled"), ARN: "arn:aws:kms:ap-northeast-1:488821267897:key/session"},
			},
		},
	}
	f.Role = reach.Is(role(f))
	return f
}

func role(f *reach.Facts) reach.Role {
	r := reach.Role{
		Name:    "stg-EC2SSMRole",
		Trust:   reach.Is(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`),
		Allowed: map[reach.Permission]reach.Known[bool]{},
	}
	for _, p := range reach.PermissionsNeeded(f) {
		r.Allowed[p] = reach.Is(true)
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

func endpoint(service string) reach.Endpoint {
	return reach.Endpoint{
		ID: "vpce-" + service, VPC: vpc, Service: "com.amazonaws." + region + "." + service, Type: "Interface", State: "available",
		Subnets: []string{subnet}, Groups: []string{"sg-endpoint"}, PrivateDNS: true,
		Policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	}
}

func network() *reach.Network {
	return &reach.Network{
		VPC: vpc, DNSSupport: reach.Is(true), DNSHostnames: reach.Is(true),
		Subnets: reach.Is(map[string]reach.Subnet{
			subnet:             {CIDRs: []string{"10.0.2.0/24"}, Zone: region + "a"},
			"subnet-endpoints": {CIDRs: []string{"10.0.3.0/24"}, Zone: region + "c"},
		}),
		RouteTables: reach.Is([]reach.RouteTable{
			{ID: "rtb-main", Main: true, Routes: []reach.Route{{Destination: "10.0.0.0/16", Target: "local"}}},
			{ID: "rtb-private", Subnets: []string{subnet}, Routes: []reach.Route{{Destination: "10.0.0.0/16", Target: "local"}}},
		}),
		ACLs: reach.Is([]reach.NetworkACL{{ID: "acl-default", Subnets: []string{subnet, "subnet-endpoints"}, Entries: []reach.ACLEntry{
			{Number: 100, Egress: true, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 32767, Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 100, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 32767, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
			{Number: 101, Egress: true, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "::/0"},
			{Number: 101, Allow: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "::/0"},
		}}}),
		Rules: reach.Is(map[string][]reach.Rule{
			"sg-node": {{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}},
			"sg-endpoint": {
				{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"},
				{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/16"},
			},
			"sg-closed": nil,
		}),
		Endpoints: reach.Is([]reach.Endpoint{
			endpoint("ssm"), endpoint("ssmmessages"), endpoint("ec2messages"), endpoint("logs"), endpoint("s3"), endpoint("kms"),
		}),
	}
}

// hybrid is a registered machine elsewhere.
func hybrid() *reach.Facts {
	f := stack()
	f.Node.ID = "mi-0123456789abcdef0"
	f.Instance, f.Network = reach.Known[reach.Instance]{}, nil
	f.Tier = reach.Is(reach.Tier{Advanced: true})
	r := role(f)
	r.Trust = reach.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"488821267897"}}}}`)
	f.Role = reach.Is(r)
	return f
}

// The changes below are made on facts of the test's own.

func change[T any](k *reach.Known[T], how func(*T)) {
	v, _ := k.Get()
	how(&v)
	*k = reach.Is(v)
}

func onInstance(how func(*reach.Instance)) func(*reach.Facts) {
	return func(f *reach.Facts) { change(&f.Instance, how) }
}

func onPrimary(how func(*reach.Interface)) func(*reach.Facts) {
	return onInstance(func(i *reach.Instance) {
		if len(i.Interfaces) > 0 {
			how(&i.Interfaces[0])
		}
	})
}

func onAgent(how func(*reach.Agent)) func(*reach.Facts) {
	return func(f *reach.Facts) { change(&f.Node.Agent, how) }
}

func onRole(how func(*reach.Role)) func(*reach.Facts) {
	return func(f *reach.Facts) { change(&f.Role, how) }
}

func onNetwork(how func(*reach.Network)) func(*reach.Facts) {
	return func(f *reach.Facts) {
		if f.Network != nil {
			how(f.Network)
		}
	}
}

func onContent(how func(*reach.Content)) func(*reach.Facts) {
	return func(f *reach.Facts) { change(&f.Documents[1].Content, how) }
}

// onEndpoint changes the endpoint of a service.
func onEndpoint(service string, how func(*reach.Endpoint)) func(*reach.Facts) {
	return onNetwork(func(n *reach.Network) {
		list, _ := n.Endpoints.Get()
		for i := range list {
			if list[i].ID == "vpce-"+service {
				how(&list[i])
			}
		}
	})
}

// disallow takes a permission from the role.
func disallow(action, resource string) func(*reach.Facts) {
	return onRole(func(r *reach.Role) {
		if r.Allowed != nil {
			r.Allowed[reach.Permission{Action: action, Resource: resource}] = reach.Is(false)
		}
	})
}

// without takes endpoints away.
func without(services ...string) func(*reach.Facts) {
	return func(f *reach.Facts) {
		for _, s := range services {
			onEndpoint(s, func(e *reach.Endpoint) { e.VPC = "vpc-other" })(f)
		}
	}
}

// routed gives the node's subnet more routes.
func routed(routes ...reach.Route) func(*reach.Facts) {
	return onNetwork(func(n *reach.Network) {
		tables, _ := n.RouteTables.Get()
		tables[1].Routes = append(tables[1].Routes, routes...)
	})
}

func rules(group string, list ...reach.Rule) func(*reach.Facts) {
	return onNetwork(func(n *reach.Network) {
		groups, _ := n.Rules.Get()
		groups[group] = list
	})
}

func entries(list ...reach.ACLEntry) func(*reach.Facts) {
	return onNetwork(func(n *reach.Network) {
		acls, _ := n.ACLs.Get()
		acls[0].Entries = append(list, acls[0].Entries...)
	})
}

func together(changes ...func(*reach.Facts)) func(*reach.Facts) {
	return func(f *reach.Facts) {
		for _, c := range changes {
			c(f)
		}
	}
}

func changed(f *reach.Facts, changes ...func(*reach.Facts)) *reach.Facts {
	together(changes...)(f)
	return f
}

func find(checks []reach.Check, name reach.Name) (reach.Check, bool) {
	for _, c := range checks {
		if c.Name == name {
			return c, true
		}
	}
	return reach.Check{}, false
}
