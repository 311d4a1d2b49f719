package collect_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

const hostSetting = "/ssm/managed-instance/default-ec2-instance-management-role"

// changed is the fixture of S7 with documents that log, and a change of its region.
func changed(change func(*fixtures.Account, *fixtures.Region)) *fixtures.Fixture {
	f := fixtures.S7()
	r := f.Accounts[0].Regions[region]
	r.Documents = append(r.Documents, loggingDocument())
	change(&f.Accounts[0], &r)
	f.Accounts[0].Regions[region] = r
	return f
}

func factsOf(t *testing.T, f *fixtures.Fixture) (world, *check.Facts) {
	t.Helper()
	w := newWorld(t, f)
	r := request(fixtures.S7Node)
	r.Documents[region] = []string{"audited"}
	s, _ := w.take(r)
	return w, s.Facts(fixtures.S7Node, s.Documents(region, r.Documents[region]))
}

func TestTheOwnerOfASharedSubnetIsKnown(t *testing.T) {
	const owner = "999999999999"
	_, f := factsOf(t, changed(func(_ *fixtures.Account, r *fixtures.Region) { r.Network.Subnets[0].Owner = owner }))
	subnets, _ := f.Network.Subnets.Get()
	if s := subnets["subnet-0b00000000000a002"]; s.OwnerID != owner {
		t.Errorf("the owner is %q", s.OwnerID)
	}
	if s := subnets["subnet-0b00000000000a003"]; s.OwnerID != accountID {
		t.Errorf("the owner of a subnet of the account's own is %q", s.OwnerID)
	}
}

func TestPrivateDNSForInboundResolversOnlyIsKnown(t *testing.T) {
	const id = "vpce-0b00000000000a007"
	_, f := factsOf(t, changed(func(_ *fixtures.Account, r *fixtures.Region) {
		s3 := r.Network.Endpoints[0]
		s3.ID, s3.Service, s3.InboundResolversOnly = id, "com.amazonaws."+region+".s3", true
		r.Network.Endpoints = append(r.Network.Endpoints, s3)
	}))
	endpoints, _ := f.Network.Endpoints.Get()
	for i := range endpoints {
		if e := &endpoints[i]; e.InboundResolversOnly != (e.ID == id) {
			t.Errorf("of endpoint %s it is %v", e.ID, e.InboundResolversOnly)
		}
	}
	if len(endpoints) != 7 {
		t.Errorf("there are %d endpoints", len(endpoints))
	}
}

func TestTheKeyOfABucketIsKnownByItsARN(t *testing.T) {
	const managed = "arn:aws:kms:" + region + ":" + accountID + ":alias/aws/s3"
	const ours = "arn:aws:kms:" + region + ":" + accountID + ":key/3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"
	for key, want := range map[string]string{
		"": "", managed: "", ours: ours, "arn:aws:kms:" + region + ":" + accountID + ":alias/session-manager": ours,
	} {
		_, f := factsOf(t, changed(func(_ *fixtures.Account, r *fixtures.Region) {
			r.Buckets[0].Key = key
			r.Keys[0].Aliases = append(r.Keys[0].Aliases, "alias/aws/s3")
		}))
		bucket, read := f.Logging.Buckets[fixtures.S7Bucket].Get()
		if !read || bucket.Key != want {
			t.Errorf("of the setting %q the key is %q, %v", key, bucket.Key, read)
		}
		generate := check.Permission{Action: "kms:GenerateDataKey", Resource: ours}
		role, _ := f.Role.Get()
		if allowed, asked := role.Allowed[generate].Get(); asked != (want != "") || asked != allowed {
			t.Errorf("with the key %q it was asked whether the role may use it: %v, and it may: %v", key, asked, allowed)
		}
	}
}

func TestARoleThatMayNotUseTheBucketsKeyIsFound(t *testing.T) {
	_, f := factsOf(t, changed(func(a *fixtures.Account, r *fixtures.Region) {
		r.Buckets[0].Key = "arn:aws:kms:" + region + ":" + accountID + ":key/of-another"
	}))
	first, failed := check.FirstFailure(check.Judge(f))
	if !failed || first.Name != check.CheckSessionPermissions || first.Reason != check.RolePermissionMissing {
		t.Errorf("the first failure is %v %+v", failed, first)
	}
}

func TestTheDefaultRoleOfAConnectedNodeWithoutProfileIsRead(t *testing.T) {
	for name, missing := range map[string]bool{"stg-EC2SSMRoleForRDSAccess": false, "service-role/nobody": true} {
		_, f := factsOf(t, changed(func(_ *fixtures.Account, r *fixtures.Region) {
			r.Instances[0].InstanceProfile = ""
			r.ServiceSettings = map[string]string{hostSetting: name}
		}))
		role, read := f.DefaultRole.Get()
		if !read || role.Missing != missing || role.Name != name || (len(role.Allowed) == 0) != missing {
			t.Errorf("the default role %s is read as %+v, %v", name, role, read)
		}
	}
}

func TestTheKeyOfSeveralLogGroupsIsReadOnce(t *testing.T) {
	w := newWorld(t, changed(func(_ *fixtures.Account, r *fixtures.Region) {
		second := r.LogGroups[0]
		second.Name = "second"
		r.LogGroups = append(r.LogGroups, second)
		r.Documents = append(r.Documents, fixtures.Document{Name: "second", Content: json.RawMessage(
			`{"schemaVersion": "1.0", "description": "Another", "sessionType": "Standard_Stream", "inputs": {"cloudWatchLogGroupName": "second"}}`)})
	}))
	r := request(fixtures.S7Node)
	r.Documents[region] = []string{"audited", "second"}
	s, _ := w.take(r)
	if n := w.called("GetKeyPolicy"); n != 1 {
		t.Errorf("the key's policy was read %d times", n)
	}
	if l := s.Facts(fixtures.S7Node, nil).Logging; len(l.LogGroups) != 2 {
		t.Errorf("the log groups are %v", l.LogGroups)
	}
}

func TestInstancesThatAreGoneAreNotOfATag(t *testing.T) {
	w := newWorld(t, newFleet(1, 3, func(i int) bool { return i > 0 }))
	// SSM still lists it, as it does an instance that was terminated a moment
	// ago.
	if err := w.Account(accountID).Region(region).Fleet.Change(nodeID(1), func(n *fleet.Node) { n.State = "shutting-down" }); err != nil {
		t.Fatal(err)
	}
	all := collect.Selection{Region: region, Tags: map[string]string{"fleet": "all"}}
	r := collect.Request{Selections: []collect.Selection{all}}
	s, _ := w.take(r)
	if ids, _, _ := s.Selected(all); !slices.Equal(ids, []string{nodeID(0), nodeID(2)}) {
		t.Errorf("found %v", ids)
	}
	if n := w.called("GetConnectionStatus"); n != 2 {
		t.Errorf("it was asked %d times whether a node is connected, want once for the one that is down and once in turn", n)
	}
	r.Nodes = map[string][]string{nodeID(1): {region}}
	s, _ = w.take(r)
	if first, _ := check.FirstFailure(judge(s, nodeID(1))); first.Reason != check.InstanceNotRunning {
		t.Errorf("the node that is named is judged %+v", first)
	}
}

func TestNATGatewaysAreReadWhereRoutesLeadToThem(t *testing.T) {
	w := newWorld(t, fixtures.S7NAT())
	r := request(fixtures.S7NATNode)
	r.Documents[region] = nil
	if err := w.Account(accountID).Region(region).Fleet.SetAgent(fixtures.S7NATNode, false, false); err != nil {
		t.Fatal(err)
	}
	s, _ := w.take(r)
	gateways, _ := s.Facts(fixtures.S7NATNode, nil).Network.NATGateways.Get()
	if g := gateways["nat-0b00000000000b000"]; g != (check.NATGateway{State: "available", Subnet: "subnet-0b00000000000b001"}) {
		t.Errorf("%+v", gateways)
	}
}

func TestNATGatewaysAreNotReadWhereNoRouteLeadsToOne(t *testing.T) {
	w, f := factsOf(t, changed(func(_ *fixtures.Account, r *fixtures.Region) { r.Instances[0].Agent.Offline = true }))
	if n := w.called("DescribeNatGateways"); n != 0 || f.Network == nil {
		t.Errorf("they were read %d times", n)
	}
}

func TestTheDefaultRoleIsReadWhereTheProfilesMayNotReport(t *testing.T) {
	for profile, want := range map[string]bool{"powerless": true, "instances-only": false, "stg-ec2-instance-profile": false} {
		_, f := factsOf(t, changed(func(a *fixtures.Account, r *fixtures.Region) {
			powerless := a.Roles[len(a.Roles)-1]
			powerless.Name, powerless.ID, powerless.Attached, powerless.Inline = "powerless", "", nil, nil
			limited := powerless // By the ARNs of instances, which is enough for one.
			limited.Name, limited.Inline = "instances-only", map[string]json.RawMessage{"report": []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:UpdateInstanceInformation","Resource":"arn:aws:ec2:*:*:instance/*"}]}`)}
			a.Roles = append(a.Roles, powerless, limited)
			r.Instances[0].InstanceProfile = profile
			r.ServiceSettings = map[string]string{hostSetting: "stg-EC2SSMRoleForRDSAccess"}
		}))
		if role, read := f.DefaultRole.Get(); read != want || (len(role.Allowed) > 0) != want {
			t.Errorf("of a connected node with the profile %s, the default role is %+v, %v", profile, role, read)
		}
	}
}
