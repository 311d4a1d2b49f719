package reach_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

func onKey(name string, how func(*reach.Key)) func(*reach.Facts) {
	return func(f *reach.Facts) {
		k := f.Logging.Keys[name]
		how(&k)
		f.Logging.Keys[name] = k
	}
}

func onGroup(g reach.Known[reach.LogGroup]) func(*reach.Facts) {
	return func(f *reach.Facts) { f.Logging.LogGroups["sessions"] = g }
}

func onBucket(b reach.Known[reach.Bucket]) func(*reach.Facts) {
	return func(f *reach.Facts) { f.Logging.Buckets["logs"] = b }
}

// besideGateway gives the VPC a gateway endpoint for S3 too.
var besideGateway = together(routed(reach.Route{Destination: "pl-s3", Target: "vpce-gateway"}), onNetwork(func(n *reach.Network) {
	list, _ := n.Endpoints.Get()
	gateway := endpoint("s3")
	gateway.ID, gateway.Type, gateway.PrivateDNS, gateway.Groups, gateway.Subnets = "vpce-gateway", "Gateway", false, nil, nil
	n.Endpoints = reach.Is(append(list, gateway))
}))

// sessionFindings are made on connected nodes too.
var sessionFindings = []finding{
	{"agent too old for streams", onAgent(func(a *reach.Agent) { a.Version = "3.0.222.0" }), reach.CheckAgentVersion, reach.Warn, reach.AgentTooOld},
	{"agent version in disorder", onAgent(func(a *reach.Agent) { a.Version = "new" }), reach.CheckAgentVersion, reach.NotChecked, reach.NotUnderstood},
	{"session key gone", onKey("alias/session", func(k *reach.Key) { *k = reach.Key{State: reach.Is("")} }), reach.CheckSessionKey, reach.Fail, reach.KeyNotFound},
	{"session key disabled", onKey("alias/session", func(k *reach.Key) { k.State = reach.Is("Disabled") }), reach.CheckSessionKey, reach.Fail, reach.KeyNotEnabled},
	{"session key hidden", onKey("alias/session", func(k *reach.Key) { k.State = reach.Denied[string]("kms:DescribeKey") }), reach.CheckSessionKey, reach.NotChecked, reach.PermissionMissing},
	{"no session key", onContent(func(c *reach.Content) { c.SessionKey = "" }), reach.CheckSessionKey, reach.Pass, reach.NotNeeded},
	{"log group gone", onGroup(reach.Is(reach.LogGroup{})), reach.CheckLogGroup, reach.Fail, reach.LogGroupNotFound},
	{"log group hidden", onGroup(reach.Denied[reach.LogGroup]("logs:DescribeLogGroups")), reach.CheckLogGroup, reach.NotChecked, reach.PermissionMissing},
	{"log group in the clear", onGroup(reach.Is(reach.LogGroup{Exists: true})), reach.CheckLogGroupEncryption, reach.Fail, reach.LogGroupNotEncrypted},
	{"log group in the clear, as asked", together(onContent(func(c *reach.Content) { c.LogGroupEncryption = false }), onGroup(reach.Is(reach.LogGroup{Exists: true}))), reach.CheckLogGroupEncryption, reach.Pass, reach.NotNeeded},
	{"key for another log group", onKey(key, func(k *reach.Key) { k.Policy = reach.Is(keyPolicy("others")) }), reach.CheckLogKeyPolicy, reach.Fail, reach.LogKeyDenies},
	{"key under conditions", onKey(key, func(k *reach.Key) {
		k.Policy = reach.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"logs.ap-northeast-1.amazonaws.com"},"Action":"kms:*","Resource":"*","Condition":{"Null":{"x":"true"}}}]}`)
	}), reach.CheckLogKeyPolicy, reach.Warn, reach.LogKeyUnclear},
	{"key policy hidden", onKey(key, func(k *reach.Key) { k.Policy = reach.Denied[string]("kms:GetKeyPolicy") }), reach.CheckLogKeyPolicy, reach.NotChecked, reach.PermissionMissing},
	{"key to be deleted", onKey(key, func(k *reach.Key) { k.State = reach.Is("PendingDeletion") }), reach.CheckLogKeyPolicy, reach.Fail, reach.KeyNotEnabled},
	{"bucket gone", onBucket(reach.Is(reach.Bucket{})), reach.CheckLogBucket, reach.Fail, reach.BucketNotFound},
	{"bucket in the clear", onBucket(reach.Is(reach.Bucket{Exists: true})), reach.CheckLogBucketEncryption, reach.Fail, reach.BucketNotEncrypted},
	{"bucket hidden", onBucket(reach.Denied[reach.Bucket]("s3:GetEncryptionConfiguration")), reach.CheckLogBucket, reach.NotChecked, reach.PermissionMissing},
	{"no permission to put logs", disallow("logs:PutLogEvents", "arn:aws:logs:ap-northeast-1:488821267897:log-group:sessions:log-stream:session"), reach.CheckSessionPermissions, reach.Fail, reach.RolePermissionMissing},
	{"no logs in a forwarded port", onContent(func(c *reach.Content) {
		*c = reach.Content{SessionType: reach.SessionPort, LogGroup: "sessions", Bucket: "logs"}
	}), reach.CheckSessionPermissions, reach.Pass, reach.NotNeeded},
	{"logs endpoint missing", without("logs"), reach.CheckSessionPath, reach.Fail, reach.EndpointMissing},
	{"kms endpoint closed", onEndpoint("kms", func(e *reach.Endpoint) { e.Groups = []string{"sg-closed"} }), reach.CheckSessionPath, reach.Fail, reach.IngressBlocked},
	{"gateway for S3", together(onEndpoint("s3", func(e *reach.Endpoint) { e.Type, e.PrivateDNS, e.Groups, e.Subnets = "Gateway", false, nil, nil }),
		routed(reach.Route{Destination: "pl-s3", Target: "vpce-s3"})), reach.CheckSessionPath, reach.Pass, reach.InOrder},
	{"gateway for S3 by its list", together(onEndpoint("s3", func(e *reach.Endpoint) { e.Type, e.PrivateDNS, e.Groups, e.Subnets = "Gateway", false, nil, nil }),
		routed(reach.Route{Destination: "pl-s3", Target: "vpce-s3"}),
		rules("sg-node", to("10.0.0.0/16"), reach.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443, PrefixList: "pl-s3"})), reach.CheckSessionPath, reach.Pass, reach.InOrder},
	{"gateway for S3 beside an endpoint for inbound resolvers", together(besideGateway, onEndpoint("s3", func(e *reach.Endpoint) { e.InboundResolversOnly, e.Groups = true, []string{"sg-closed"} })), reach.CheckSessionPath, reach.Pass, reach.InOrder},
	{"endpoint for S3 beside a gateway", together(besideGateway, onEndpoint("s3", func(e *reach.Endpoint) { e.Groups = []string{"sg-closed"} })), reach.CheckSessionPath, reach.Fail, reach.IngressBlocked},
	{"endpoint for S3 for inbound resolvers alone", onEndpoint("s3", func(e *reach.Endpoint) { e.InboundResolversOnly = true }), reach.CheckSessionPath, reach.Fail, reach.EndpointPrivateDNSOff},
	{"gateway for S3 of other subnets", onEndpoint("s3", func(e *reach.Endpoint) { e.Type = "Gateway" }), reach.CheckSessionPath, reach.Fail, reach.EndpointMissing},
	{"document hidden", func(f *reach.Facts) { f.Documents[1].Content = reach.Denied[reach.Content]("ssm:GetDocument") }, reach.CheckLogGroup, reach.NotChecked, reach.PermissionMissing},
}

func TestWhatDocumentsAskForIsJudgedOnConnectedNodesToo(t *testing.T) {
	for _, status := range []reach.ConnectionStatus{reach.StatusConnected, reach.StatusNotConnected} {
		for _, tc := range sessionFindings {
			t.Run(string(status)+" "+tc.story, func(t *testing.T) {
				checks := reach.Judge(changed(stack(), tc.change, func(f *reach.Facts) { f.Node.Connection = reach.Is(status) }))
				c, _ := find(checks, tc.check)
				if c.Result != tc.result || c.Reason != tc.reason {
					t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
				}
				if first, failed := reach.FirstFailure(checks); status == reach.StatusConnected && failed != (tc.result == reach.Fail) || failed && status == reach.StatusConnected && first.Name != tc.check {
					t.Fatalf("got %+v first", first)
				}
			})
		}
	}
}

func TestAConnectedNodeIsNotHeldToAWayThatItsConnectionRefutes(t *testing.T) {
	up := func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) }
	reports := onAgent(func(a *reach.Agent) { a.PingStatus, a.LastPing = reach.PingOnline, noon })
	for story, tc := range map[string]struct {
		change func(*reach.Facts)
		result reach.Result
		reason reach.Reason
	}{
		"a proxy":                          {noSSM, reach.NotChecked, reach.AnotherWay},
		"a proxy, seen by reports":         {together(noSSM, reports, func(f *reach.Facts) { f.Node.Connection = reach.Known[reach.ConnectionStatus]{} }), reach.NotChecked, reach.AnotherWay},
		"a hosted zone":                    {together(without("logs"), onEndpoint("ssmmessages", func(e *reach.Endpoint) { e.PrivateDNS = false })), reach.NotChecked, reach.AnotherWay},
		"ingress that only seems closed":   {rules("sg-endpoint"), reach.NotChecked, reach.AnotherWay},
		"a closed way to what is not used": {together(noSSM, onContent(func(c *reach.Content) { *c = reach.Content{SessionType: "Standard_Stream"} })), reach.Pass, reach.NotNeeded},
		"ssm lost, and the agent with it":  {without("ssm", "logs"), reach.Fail, reach.EndpointMissing},
		"ssm not seen, and reports":        {together(without("ssm", "logs"), reports), reach.NotChecked, reach.AnotherWay},
		"logs only":                        {together(without("logs"), reports), reach.Fail, reach.EndpointMissing},
	} {
		checks := reach.Judge(changed(stack(), up, tc.change))
		if c, _ := find(checks, reach.CheckSessionPath); c.Result != tc.result || c.Reason != tc.reason {
			t.Errorf("%s: want %s %s, got %+v", story, tc.result, tc.reason, c)
		}
		if first, failed := reach.FirstFailure(checks); failed != (tc.result == reach.Fail) {
			t.Errorf("%s: got %+v first", story, first)
		}
	}
	// One that is not connected is held to all of it.
	if c, _ := find(reach.Judge(changed(stack(), noSSM)), reach.CheckSessionPath); c.Result != reach.Fail {
		t.Errorf("got %+v", c)
	}
}

func TestARoleIsAskedForTheNodesThatItReports(t *testing.T) {
	resources := func(f *reach.Facts) []string {
		var found []string
		for _, p := range reach.PermissionsNeeded(f) {
			if p.Action == "ssm:UpdateInstanceInformation" {
				found = append(found, p.Resource)
			}
		}
		return found
	}
	hybrids := "arn:aws:ssm:ap-northeast-1:488821267897:managed-instance/*"
	shared := stack()
	shared.Node.ID = ""
	for story, tc := range map[string]struct {
		facts *reach.Facts
		want  []string
	}{
		"an instance": {stack(), []string{instances}}, "a hybrid node": {hybrid(), []string{hybrids}}, "a role of both": {shared, []string{instances, hybrids}},
	} {
		if got := resources(tc.facts); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", story, got)
		}
	}
	// As least privilege is written: what a role allows is on nodes, not on "*".
	least := `{"Statement":[{"Effect":"Allow","Action":"ssmmessages:*","Resource":"*"},{"Effect":"Allow","Action":"ssm:UpdateInstanceInformation","Resource":"arn:aws:ec2:*:488821267897:instance/*"}]}`
	for _, f := range []*reach.Facts{stack(), hybrid()} {
		change(&f.Role, func(r *reach.Role) {
			for _, p := range reach.PermissionsNeeded(f) {
				allowed, _ := reach.Allows([]string{least}, p)
				r.Allowed[p] = reach.Is(allowed)
			}
		})
		c, _ := find(reach.Judge(f), reach.CheckRolePermissions)
		if want := f.Node.Hybrid(); want != (c.Result == reach.Fail) || want != strings.Contains(c.Message, "ssm:UpdateInstanceInformation on "+hybrids) {
			t.Errorf("%s: %+v", f.Node.ID, c)
		}
	}
}

func TestAKeyOfAnotherAccountAsksForItsOwnPolicy(t *testing.T) {
	const owner = "999988887777"
	theirs := "arn:aws:kms:ap-northeast-1:" + owner + ":key/theirs"
	for _, name := range []string{theirs, "arn:aws:kms:ap-northeast-1:" + owner + ":alias/theirs"} {
		f := changed(stack(), onContent(func(c *reach.Content) { c.SessionKey = name }), onKey(name, func(k *reach.Key) {
			k.State = reach.Denied[string]("kms:DescribeKey")
		}))
		change(&f.Role, func(r *reach.Role) {
			r.Allowed[reach.Permission{Action: "kms:Decrypt", Resource: name}] = reach.Is(true)
		})
		for _, c := range reach.Judge(f) {
			if len(c.Missing) != 0 {
				t.Errorf("no permission of ours helps, but %+v", c)
			}
			if c.Name == reach.CheckSessionKey && (c.Reason != reach.PermissionMissing || !strings.Contains(c.Message, owner+": its own policy has to allow kms:DescribeKey")) {
				t.Errorf("%+v", c)
			}
		}
	}
	f := changed(stack(), onGroup(reach.Is(reach.LogGroup{Exists: true, Key: theirs})), onKey(theirs, func(k *reach.Key) {
		k.State, k.ARN, k.Policy = reach.Is("Enabled"), theirs, reach.Denied[string]("kms:GetKeyPolicy")
	}))
	if c, _ := find(reach.Judge(f), reach.CheckLogKeyPolicy); c.Result != reach.NotChecked || len(c.Missing) != 0 || !strings.Contains(c.Message, owner+", which alone can read its policy") {
		t.Errorf("%+v", c)
	}
	// What the role may do with a key is not known without the key's ARN.
	hidden := changed(stack(), onKey("alias/session", func(k *reach.Key) { *k = reach.Key{State: reach.Denied[string]("kms:DescribeKey")} }))
	if c, _ := find(reach.Judge(hidden), reach.CheckSessionPermissions); c.Result != reach.NotChecked || !slices.Equal(c.Missing, []string{"kms:DescribeKey"}) {
		t.Errorf("%+v", c)
	}
	// A key of one's own is opened by a permission of one's own.
	own := changed(stack(), onGroup(reach.Is(reach.LogGroup{Exists: true, Key: key})), onKey(key, func(k *reach.Key) { k.State = reach.Denied[string]("kms:DescribeKey") }))
	if c, _ := find(reach.Judge(own), reach.CheckLogKeyPolicy); !slices.Equal(c.Missing, []string{"kms:DescribeKey"}) {
		t.Errorf("%+v", c)
	}
}

// trustWhere is a trust in Systems Manager on behalf of what an ARN and an account
// are of.
func trustWhere(arn, account string) func(*reach.Facts) {
	return onRole(func(r *reach.Role) {
		r.Trust = reach.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnEquals":{"aws:SourceArn":"` + arn + `"}}}}`)
	})
}

func TestSessionsHaveThePermissionsOfTheRoleThatTheAgentRunsWith(t *testing.T) {
	up := func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) }
	putLogs := "arn:aws:logs:ap-northeast-1:488821267897:log-group:sessions:log-stream:session"
	mayNotReport, mayNotLog := disallow("ssm:UpdateInstanceInformation", instances), disallow("logs:PutLogEvents", putLogs)
	// The role of default host management may do all of it.
	standIn := func(f *reach.Facts) {
		all := role(f)
		all.Name = "managed"
		f.DefaultRole = reach.Is(all)
	}
	for story, tc := range map[string]struct {
		change func(*reach.Facts)
		result reach.Result
	}{
		"the profile's, which lacks it":                        {together(mayNotLog, up), reach.Fail},
		"the profile's, beside the default one":                {together(mayNotLog, standIn, up), reach.Fail},
		"the default one":                                      {together(mayNotLog, mayNotReport, standIn, up), reach.Pass},
		"the default one, which lacks it":                      {together(mayNotLog, mayNotReport, managedRole, up), reach.Fail},
		"the default one, as the profile has none":             {together(onRole(func(r *reach.Role) { *r = reach.Role{} }), standIn, up), reach.Pass},
		"the default one, hidden":                              {together(mayNotLog, mayNotReport, erasures["default"], up), reach.NotChecked},
		"the profile's or the default one, while it is down":   {together(mayNotLog, standIn), reach.Warn},
		"the profile's, while it is down, for want of another": {mayNotLog, reach.Fail},
	} {
		if c, _ := find(reach.Judge(changed(stack(), tc.change)), reach.CheckSessionPermissions); c.Result != tc.result {
			t.Errorf("%s: want %s, got %+v", story, tc.result, c)
		}
	}
}

func TestHybridNodes(t *testing.T) {
	for _, tc := range []finding{
		{"standard tier", func(f *reach.Facts) { f.Tier = reach.Is(reach.Tier{}) }, reach.CheckHybridTier, reach.Fail, reach.StandardTier},
		{"tier on its way up", func(f *reach.Facts) { f.Tier = reach.Is(reach.Tier{Pending: true}) }, reach.CheckHybridTier, reach.Fail, reach.TierChanging},
		{"advanced tier on its way", func(f *reach.Facts) { f.Tier = reach.Is(reach.Tier{Advanced: true, Pending: true}) }, reach.CheckHybridTier, reach.Warn, reach.TierChanging},
		{"tier hidden", func(f *reach.Facts) { f.Tier = reach.Denied[reach.Tier]("ssm:GetServiceSetting") }, reach.CheckHybridTier, reach.NotChecked, reach.PermissionMissing},
		{"deregistered", onAgent(func(a *reach.Agent) { *a = reach.Agent{} }), reach.CheckRegistration, reach.Fail, reach.NotRegistered},
		{"role gone", onRole(func(r *reach.Role) { *r = reach.Role{} }), reach.CheckRoleTrust, reach.Fail, reach.RoleNotFound},
		{"role of instances", onRole(func(r *reach.Role) {
			r.Trust = reach.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
		}), reach.CheckRoleTrust, reach.Fail, reach.RoleNotTrusted},
		{"trust as AWS recommends", trustWhere("arn:aws:ssm:ap-northeast-1:488821267897:*", account), reach.CheckRoleTrust, reach.Pass, reach.InOrder},
		{"trust in any region", trustWhere("arn:aws:ssm:*:488821267897:*", account), reach.CheckRoleTrust, reach.Pass, reach.InOrder},
		{"trust for another region", trustWhere("arn:aws:ssm:us-east-1:488821267897:*", account), reach.CheckRoleTrust, reach.Warn, reach.RoleNotTrusted},
		{"trust for another account", trustWhere("arn:aws:ssm:*:488821267897:*", "111122223333"), reach.CheckRoleTrust, reach.Fail, reach.RoleNotTrusted},
		{"offline", func(*reach.Facts) {}, reach.CheckAgentOnline, reach.Fail, reach.AgentOffline},
	} {
		t.Run(tc.story, func(t *testing.T) {
			checks := reach.Judge(changed(hybrid(), tc.change))
			if c, _ := find(checks, tc.check); c.Result != tc.result || c.Reason != tc.reason {
				t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
			}
			if first, _ := reach.FirstFailure(checks); tc.result == reach.Fail && first.Name != tc.check {
				t.Fatalf("want %s first, got %+v", tc.check, first)
			}
			if _, found := find(checks, reach.CheckRoute); found {
				t.Fatal("a hybrid node has no VPC")
			}
		})
	}
}

func TestConnectedMeansSeenLatelyUnlessAWSSaysOtherwise(t *testing.T) {
	for _, tc := range []struct {
		ping   string
		age    time.Duration
		status reach.Known[reach.ConnectionStatus]
		asks   bool
		result reach.Result
	}{
		{"Online", 10 * time.Minute, reach.Known[reach.ConnectionStatus]{}, false, reach.Pass},
		{"Online", 10*time.Minute + 1, reach.Known[reach.ConnectionStatus]{}, true, reach.NotChecked},
		{"Online", 10*time.Minute + 1, reach.Is(reach.StatusConnected), true, reach.Pass},
		{"Online", 0, reach.Is(reach.StatusNotConnected), false, reach.Fail},
		{"ConnectionLost", 0, reach.Known[reach.ConnectionStatus]{}, true, reach.NotChecked},
		{"ConnectionLost", 0, reach.Is(reach.StatusConnected), true, reach.Pass},
		{"Inactive", 0, reach.Is(reach.StatusNotConnected), true, reach.Fail},
		{"Online", time.Hour, reach.Denied[reach.ConnectionStatus]("ssm:GetConnectionStatus"), true, reach.NotChecked},
		{"Online", time.Hour, reach.Is(reach.ConnectionStatus("perhaps")), true, reach.NotChecked},
	} {
		f := changed(stack(), onAgent(func(a *reach.Agent) { a.PingStatus, a.LastPing = tc.ping, noon.Add(-tc.age) }))
		f.Node.Connection = tc.status
		if got := reach.NeedsConnectionStatus(f.Node.Agent, noon); got != tc.asks {
			t.Errorf("%+v: asks %t", tc, got)
		}
		c, _ := find(reach.Judge(f), reach.CheckConnected)
		if c.Result != tc.result {
			t.Errorf("%+v: %+v", tc, c)
		}
		if got := reach.NeedsNetwork(f); got != (tc.result != reach.Pass) {
			t.Errorf("%+v: needs the network %t", tc, got)
		}
	}
}
