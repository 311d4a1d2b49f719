package reach_test

import (
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
