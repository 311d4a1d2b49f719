package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func onKey(name string, how func(*check.Key)) func(*check.Facts) {
	return func(f *check.Facts) {
		k := f.Logging.Keys[name]
		how(&k)
		f.Logging.Keys[name] = k
	}
}

func onGroup(g check.Known[check.LogGroup]) func(*check.Facts) {
	return func(f *check.Facts) { f.Logging.LogGroups["sessions"] = g }
}

func onBucket(b check.Known[check.Bucket]) func(*check.Facts) {
	return func(f *check.Facts) { f.Logging.Buckets["logs"] = b }
}

// besideGateway gives the VPC a gateway endpoint for S3 too.
var besideGateway = together(routed(check.Route{Destination: "pl-s3", Target: "vpce-gateway"}), onNetwork(func(n *check.Network) {
	list, _ := n.Endpoints.Get()
	gateway := endpoint("s3")
	gateway.ID, gateway.Type, gateway.PrivateDNS, gateway.Groups, gateway.Subnets = "vpce-gateway", "Gateway", false, nil, nil
	n.Endpoints = check.Is(append(list, gateway))
}))

// sessionFindings are made on connected nodes too.
var sessionFindings = []finding{
	{"agent too old for streams", onAgent(func(a *check.Agent) { a.Version = "3.0.222.0" }), check.CheckAgentVersion, check.Warn, check.AgentTooOld},
	{"agent version in disorder", onAgent(func(a *check.Agent) { a.Version = "new" }), check.CheckAgentVersion, check.NotChecked, check.NotUnderstood},
	{"session key gone", onKey("alias/session", func(k *check.Key) { *k = check.Key{State: check.Is("")} }), check.CheckSessionKey, check.Fail, check.KeyNotFound},
	{"session key disabled", onKey("alias/session", func(k *check.Key) { k.State = check.Is("Disabled") }), check.CheckSessionKey, check.Fail, check.KeyNotEnabled},
	{"session key hidden", onKey("alias/session", func(k *check.Key) { k.State = check.Denied[string]("kms:DescribeKey") }), check.CheckSessionKey, check.NotChecked, check.PermissionMissing},
	{"no session key", onContent(func(c *check.Content) { c.SessionKey = "" }), check.CheckSessionKey, check.Pass, check.NotNeeded},
	{"log group gone", onGroup(check.Is(check.LogGroup{})), check.CheckLogGroup, check.Fail, check.LogGroupNotFound},
	{"log group hidden", onGroup(check.Denied[check.LogGroup]("logs:DescribeLogGroups")), check.CheckLogGroup, check.NotChecked, check.PermissionMissing},
	{"log group in the clear", onGroup(check.Is(check.LogGroup{Exists: true})), check.CheckLogGroupEncryption, check.Fail, check.LogGroupNotEncrypted},
	{"log group in the clear, as asked", together(onContent(func(c *check.Content) { c.LogGroupEncryption = false }), onGroup(check.Is(check.LogGroup{Exists: true}))), check.CheckLogGroupEncryption, check.Pass, check.NotNeeded},
	{"key for another log group", onKey(key, func(k *check.Key) { k.Policy = check.Is(keyPolicy("others")) }), check.CheckLogKeyPolicy, check.Fail, check.LogKeyDenies},
	{"key under conditions", onKey(key, func(k *check.Key) {
		k.Policy = check.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"logs.ap-northeast-1.amazonaws.com"},"Action":"kms:*","Resource":"*","Condition":{"Null":{"x":"true"}}}]}`)
	}), check.CheckLogKeyPolicy, check.Warn, check.LogKeyUnclear},
	{"key policy hidden", onKey(key, func(k *check.Key) { k.Policy = check.Denied[string]("kms:GetKeyPolicy") }), check.CheckLogKeyPolicy, check.NotChecked, check.PermissionMissing},
	{"key to be deleted", onKey(key, func(k *check.Key) { k.State = check.Is("PendingDeletion") }), check.CheckLogKeyPolicy, check.Fail, check.KeyNotEnabled},
	{"bucket gone", onBucket(check.Is(check.Bucket{})), check.CheckLogBucket, check.Fail, check.BucketNotFound},
	{"bucket in the clear", onBucket(check.Is(check.Bucket{Exists: true})), check.CheckLogBucketEncryption, check.Fail, check.BucketNotEncrypted},
	{"bucket hidden", onBucket(check.Denied[check.Bucket]("s3:GetEncryptionConfiguration")), check.CheckLogBucket, check.NotChecked, check.PermissionMissing},
	{"no permission to put logs", disallow("logs:PutLogEvents", "arn:aws:logs:ap-northeast-1:488821267897:log-group:sessions:log-stream:session"), check.CheckSessionPermissions, check.Fail, check.RolePermissionMissing},
	{"no logs in a forwarded port", onContent(func(c *check.Content) {
		*c = check.Content{SessionType: check.SessionPort, LogGroup: "sessions", Bucket: "logs"}
	}), check.CheckSessionPermissions, check.Pass, check.NotNeeded},
	{"logs endpoint missing", without("logs"), check.CheckSessionPath, check.Fail, check.EndpointMissing},
	{"kms endpoint closed", onEndpoint("kms", func(e *check.Endpoint) { e.Groups = []string{"sg-closed"} }), check.CheckSessionPath, check.Fail, check.IngressBlocked},
	{"gateway for S3", together(onEndpoint("s3", func(e *check.Endpoint) { e.Type, e.PrivateDNS, e.Groups, e.Subnets = "Gateway", false, nil, nil }),
		routed(check.Route{Destination: "pl-s3", Target: "vpce-s3"})), check.CheckSessionPath, check.Pass, check.InOrder},
	{"gateway for S3 by its list", together(onEndpoint("s3", func(e *check.Endpoint) { e.Type, e.PrivateDNS, e.Groups, e.Subnets = "Gateway", false, nil, nil }),
		routed(check.Route{Destination: "pl-s3", Target: "vpce-s3"}),
		rules("sg-node", to("10.0.0.0/16"), check.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443, PrefixList: "pl-s3"})), check.CheckSessionPath, check.Pass, check.InOrder},
	{"gateway for S3 beside an endpoint for inbound resolvers", together(besideGateway, onEndpoint("s3", func(e *check.Endpoint) { e.InboundResolversOnly, e.Groups = true, []string{"sg-closed"} })), check.CheckSessionPath, check.Pass, check.InOrder},
	{"endpoint for S3 beside a gateway", together(besideGateway, onEndpoint("s3", func(e *check.Endpoint) { e.Groups = []string{"sg-closed"} })), check.CheckSessionPath, check.Fail, check.IngressBlocked},
	{"endpoint for S3 for inbound resolvers alone", onEndpoint("s3", func(e *check.Endpoint) { e.InboundResolversOnly = true }), check.CheckSessionPath, check.Fail, check.EndpointPrivateDNSOff},
	{"gateway for S3 of other subnets", onEndpoint("s3", func(e *check.Endpoint) { e.Type = "Gateway" }), check.CheckSessionPath, check.Fail, check.EndpointMissing},
	{"document hidden", func(f *check.Facts) { f.Documents[1].Content = check.Denied[check.Content]("ssm:GetDocument") }, check.CheckLogGroup, check.NotChecked, check.PermissionMissing},
}

func TestWhatDocumentsAskForIsJudgedOnConnectedNodesToo(t *testing.T) {
	for _, status := range []check.ConnectionStatus{check.StatusConnected, check.StatusNotConnected} {
		for _, tc := range sessionFindings {
			t.Run(string(status)+" "+tc.story, func(t *testing.T) {
				checks := check.Judge(changed(stack(), tc.change, func(f *check.Facts) { f.Node.Connection = check.Is(status) }))
				c, _ := find(checks, tc.check)
				if c.Result != tc.result || c.Reason != tc.reason {
					t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
				}
				if first, failed := check.FirstFailure(checks); status == check.StatusConnected && failed != (tc.result == check.Fail) || failed && status == check.StatusConnected && first.Name != tc.check {
					t.Fatalf("got %+v first", first)
				}
			})
		}
	}
}

func TestAConnectedNodeIsNotHeldToAWayThatItsConnectionRefutes(t *testing.T) {
	up := func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) }
	reports := onAgent(func(a *check.Agent) { a.PingStatus, a.LastPing = check.PingOnline, noon })
	for story, tc := range map[string]struct {
		change func(*check.Facts)
		result check.Result
		reason check.Reason
	}{
		"a proxy":                          {noSSM, check.NotChecked, check.AnotherWay},
		"a proxy, seen by reports":         {together(noSSM, reports, func(f *check.Facts) { f.Node.Connection = check.Known[check.ConnectionStatus]{} }), check.NotChecked, check.AnotherWay},
		"a hosted zone":                    {together(without("logs"), onEndpoint("ssmmessages", func(e *check.Endpoint) { e.PrivateDNS = false })), check.NotChecked, check.AnotherWay},
		"ingress that only seems closed":   {rules("sg-endpoint"), check.NotChecked, check.AnotherWay},
		"a closed way to what is not used": {together(noSSM, onContent(func(c *check.Content) { *c = check.Content{SessionType: "Standard_Stream"} })), check.Pass, check.NotNeeded},
		"ssm lost, and the agent with it":  {without("ssm", "logs"), check.Fail, check.EndpointMissing},
		"ssm not seen, and reports":        {together(without("ssm", "logs"), reports), check.NotChecked, check.AnotherWay},
		"logs only":                        {together(without("logs"), reports), check.Fail, check.EndpointMissing},
	} {
		checks := check.Judge(changed(stack(), up, tc.change))
		if c, _ := find(checks, check.CheckSessionPath); c.Result != tc.result || c.Reason != tc.reason {
			t.Errorf("%s: want %s %s, got %+v", story, tc.result, tc.reason, c)
		}
		if first, failed := check.FirstFailure(checks); failed != (tc.result == check.Fail) {
			t.Errorf("%s: got %+v first", story, first)
		}
	}
	// One that is not connected is held to all of it.
	if c, _ := find(check.Judge(changed(stack(), noSSM)), check.CheckSessionPath); c.Result != check.Fail {
		t.Errorf("got %+v", c)
	}
}

func TestARoleIsAskedForTheNodesThatItReports(t *testing.T) {
	resources := func(f *check.Facts) []string {
		var found []string
		for _, p := range check.PermissionsNeeded(f) {
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
		facts *check.Facts
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
	for _, f := range []*check.Facts{stack(), hybrid()} {
		change(&f.Role, func(r *check.Role) {
			for _, p := range check.PermissionsNeeded(f) {
				allowed, _ := check.Allows([]string{least}, p)
				r.Allowed[p] = check.Is(allowed)
			}
		})
		c, _ := find(check.Judge(f), check.CheckRolePermissions)
		if want := f.Node.Hybrid(); want != (c.Result == check.Fail) || want != strings.Contains(c.Message, "ssm:UpdateInstanceInformation on "+hybrids) {
			t.Errorf("%s: %+v", f.Node.ID, c)
		}
	}
}

func TestAKeyOfAnotherAccountAsksForItsOwnPolicy(t *testing.T) {
	const owner = "999988887777"
	theirs := "arn:aws:kms:ap-northeast-1:" + owner + ":key/theirs"
	for _, name := range []string{theirs, "arn:aws:kms:ap-northeast-1:" + owner + ":alias/theirs"} {
		f := changed(stack(), onContent(func(c *check.Content) { c.SessionKey = name }), onKey(name, func(k *check.Key) {
			k.State = check.Denied[string]("kms:DescribeKey")
		}))
		change(&f.Role, func(r *check.Role) {
			r.Allowed[check.Permission{Action: "kms:Decrypt", Resource: name}] = check.Is(true)
		})
		for _, c := range check.Judge(f) {
			if len(c.Missing) != 0 {
				t.Errorf("no permission of ours helps, but %+v", c)
			}
			if c.Name == check.CheckSessionKey && (c.Reason != check.PermissionMissing || !strings.Contains(c.Message, owner+": its own policy has to allow kms:DescribeKey")) {
				t.Errorf("%+v", c)
			}
		}
	}
	f := changed(stack(), onGroup(check.Is(check.LogGroup{Exists: true, Key: theirs})), onKey(theirs, func(k *check.Key) {
		k.State, k.ARN, k.Policy = check.Is("Enabled"), theirs, check.Denied[string]("kms:GetKeyPolicy")
	}))
	if c, _ := find(check.Judge(f), check.CheckLogKeyPolicy); c.Result != check.NotChecked || len(c.Missing) != 0 || !strings.Contains(c.Message, owner+", which alone can read its policy") {
		t.Errorf("%+v", c)
	}
	// What the role may do with a key is not known without the key's ARN.
	hidden := changed(stack(), onKey("alias/session", func(k *check.Key) { *k = check.Key{State: check.Denied[string]("kms:DescribeKey")} }))
	if c, _ := find(check.Judge(hidden), check.CheckSessionPermissions); c.Result != check.NotChecked || !slices.Equal(c.Missing, []string{"kms:DescribeKey"}) {
		t.Errorf("%+v", c)
	}
	// A key of one's own is opened by a permission of one's own.
	own := changed(stack(), onGroup(check.Is(check.LogGroup{Exists: true, Key: key})), onKey(key, func(k *check.Key) { k.State = check.Denied[string]("kms:DescribeKey") }))
	if c, _ := find(check.Judge(own), check.CheckLogKeyPolicy); !slices.Equal(c.Missing, []string{"kms:DescribeKey"}) {
		t.Errorf("%+v", c)
	}
}

// trustWhere is a trust in Systems Manager on behalf of what an ARN and an account
// are of.
func trustWhere(arn, account string) func(*check.Facts) {
	return onRole(func(r *check.Role) {
		r.Trust = check.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnEquals":{"aws:SourceArn":"` + arn + `"}}}}`)
	})
}

func TestSessionsHaveThePermissionsOfTheRoleThatTheAgentRunsWith(t *testing.T) {
	up := func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) }
	putLogs := "arn:aws:logs:ap-northeast-1:488821267897:log-group:sessions:log-stream:session"
	mayNotReport, mayNotLog := disallow("ssm:UpdateInstanceInformation", instances), disallow("logs:PutLogEvents", putLogs)
	// The role of default host management may do all of it.
	standIn := func(f *check.Facts) {
		all := role(f)
		all.Name = "managed"
		f.DefaultRole = check.Is(all)
	}
	for story, tc := range map[string]struct {
		change func(*check.Facts)
		result check.Result
	}{
		"the profile's, which lacks it":                        {together(mayNotLog, up), check.Fail},
		"the profile's, beside the default one":                {together(mayNotLog, standIn, up), check.Fail},
		"the default one":                                      {together(mayNotLog, mayNotReport, standIn, up), check.Pass},
		"the default one, which lacks it":                      {together(mayNotLog, mayNotReport, managedRole, up), check.Fail},
		"the default one, as the profile has none":             {together(onRole(func(r *check.Role) { *r = check.Role{} }), standIn, up), check.Pass},
		"the default one, hidden":                              {together(mayNotLog, mayNotReport, erasures["default"], up), check.NotChecked},
		"the profile's or the default one, while it is down":   {together(mayNotLog, standIn), check.Warn},
		"the profile's, while it is down, for want of another": {mayNotLog, check.Fail},
	} {
		if c, _ := find(check.Judge(changed(stack(), tc.change)), check.CheckSessionPermissions); c.Result != tc.result {
			t.Errorf("%s: want %s, got %+v", story, tc.result, c)
		}
	}
}

func TestHybridNodes(t *testing.T) {
	for _, tc := range []finding{
		{"standard tier", func(f *check.Facts) { f.Tier = check.Is(check.Tier{}) }, check.CheckHybridTier, check.Fail, check.StandardTier},
		{"tier on its way up", func(f *check.Facts) { f.Tier = check.Is(check.Tier{Pending: true}) }, check.CheckHybridTier, check.Fail, check.TierChanging},
		{"advanced tier on its way", func(f *check.Facts) { f.Tier = check.Is(check.Tier{Advanced: true, Pending: true}) }, check.CheckHybridTier, check.Warn, check.TierChanging},
		{"tier hidden", func(f *check.Facts) { f.Tier = check.Denied[check.Tier]("ssm:GetServiceSetting") }, check.CheckHybridTier, check.NotChecked, check.PermissionMissing},
		{"deregistered", onAgent(func(a *check.Agent) { *a = check.Agent{} }), check.CheckRegistration, check.Fail, check.NotRegistered},
		{"role gone", onRole(func(r *check.Role) { *r = check.Role{} }), check.CheckRoleTrust, check.Fail, check.RoleNotFound},
		{"role of instances", onRole(func(r *check.Role) {
			r.Trust = check.Is(`{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
		}), check.CheckRoleTrust, check.Fail, check.RoleNotTrusted},
		{"trust as AWS recommends", trustWhere("arn:aws:ssm:ap-northeast-1:488821267897:*", account), check.CheckRoleTrust, check.Pass, check.InOrder},
		{"trust in any region", trustWhere("arn:aws:ssm:*:488821267897:*", account), check.CheckRoleTrust, check.Pass, check.InOrder},
		{"trust for another region", trustWhere("arn:aws:ssm:us-east-1:488821267897:*", account), check.CheckRoleTrust, check.Warn, check.RoleNotTrusted},
		{"trust for another account", trustWhere("arn:aws:ssm:*:488821267897:*", "111122223333"), check.CheckRoleTrust, check.Fail, check.RoleNotTrusted},
		{"offline", func(*check.Facts) {}, check.CheckAgentOnline, check.Fail, check.AgentOffline},
	} {
		t.Run(tc.story, func(t *testing.T) {
			checks := check.Judge(changed(hybrid(), tc.change))
			if c, _ := find(checks, tc.check); c.Result != tc.result || c.Reason != tc.reason {
				t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
			}
			if first, _ := check.FirstFailure(checks); tc.result == check.Fail && first.Name != tc.check {
				t.Fatalf("want %s first, got %+v", tc.check, first)
			}
			if _, found := find(checks, check.CheckRoute); found {
				t.Fatal("a hybrid node has no VPC")
			}
		})
	}
}

func TestConnectedMeansSeenLatelyUnlessAWSSaysOtherwise(t *testing.T) {
	for _, tc := range []struct {
		ping   string
		age    time.Duration
		status check.Known[check.ConnectionStatus]
		asks   bool
		result check.Result
	}{
		{"Online", 10 * time.Minute, check.Known[check.ConnectionStatus]{}, false, check.Pass},
		{"Online", 10*time.Minute + 1, check.Known[check.ConnectionStatus]{}, true, check.NotChecked},
		{"Online", 10*time.Minute + 1, check.Is(check.StatusConnected), true, check.Pass},
		{"Online", 0, check.Is(check.StatusNotConnected), false, check.Fail},
		{"ConnectionLost", 0, check.Known[check.ConnectionStatus]{}, true, check.NotChecked},
		{"ConnectionLost", 0, check.Is(check.StatusConnected), true, check.Pass},
		{"Inactive", 0, check.Is(check.StatusNotConnected), true, check.Fail},
		{"Online", time.Hour, check.Denied[check.ConnectionStatus]("ssm:GetConnectionStatus"), true, check.NotChecked},
		{"Online", time.Hour, check.Is(check.ConnectionStatus("perhaps")), true, check.NotChecked},
	} {
		f := changed(stack(), onAgent(func(a *check.Agent) { a.PingStatus, a.LastPing = tc.ping, noon.Add(-tc.age) }))
		f.Node.Connection = tc.status
		if got := check.NeedsConnectionStatus(f.Node.Agent, noon); got != tc.asks {
			t.Errorf("%+v: asks %t", tc, got)
		}
		c, _ := find(check.Judge(f), check.CheckConnected)
		if c.Result != tc.result {
			t.Errorf("%+v: %+v", tc, c)
		}
		if got := check.NeedsNetwork(f); got != (tc.result != check.Pass) {
			t.Errorf("%+v: needs the network %t", tc, got)
		}
	}
}
