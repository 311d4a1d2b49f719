package collect_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const (
	accountID = fixtures.S7Account
	region    = fixtures.S7Region
	elsewhere = "us-east-1"
)

// world is an emulated AWS and an account in it as the operator sees it.
type world struct {
	t *testing.T
	*awsemulator.Server
	account *iam.Account
}

// newWorld calls AWS as the account's root user, which has every permission.
func newWorld(t *testing.T, fixture *fixtures.Fixture) world {
	t.Helper()
	fixture.Accounts[0].RootKeys = []fixtures.AccessKey{{ID: "AKIASURVEYSURVEYSURV", Secret: "root-secret"}}
	server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	pool := iam.NewPool(awsclient.NewPool(awsclient.Options{
		Base: aws.Config{
			Region: region, BaseEndpoint: &running.URL,
			Credentials: credentials.NewStaticCredentialsProvider("AKIASURVEYSURVEYSURV", "root-secret", ""),
		},
		OwnerID: "0a1b2c3d", Rate: 10_000, Burst: 10_000,
	}), nil)
	account := pool.Account(awsclient.Config{AccountID: accountID, Region: region})
	if _, err := account.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return world{t: t, Server: server, account: account}
}

// take surveys and counts the calls that it took.
func (w world) take(r collect.Request) (taken *collect.Survey, calls int) {
	w.t.Helper()
	r.AccountID, r.Partition = accountID, "aws"
	w.ResetCalls()
	taken, err := collect.Take(w.t.Context(), w.account, w.Now(), &r)
	if err != nil {
		w.t.Fatal(err)
	}
	return taken, len(w.CallLog(0))
}

// loggingDocument asks for everything that the fixture has.
func loggingDocument() fixtures.Document {
	content, err := json.Marshal(map[string]any{
		"schemaVersion": "1.0", "description": "Sessions on record", "sessionType": "Standard_Stream",
		"inputs": map[string]any{
			"s3BucketName": fixtures.S7Bucket, "s3KeyPrefix": "SessionManager", "s3EncryptionEnabled": true,
			"cloudWatchLogGroupName": fixtures.S7LogGroup, "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true,
			"kmsKeyId": fixtures.S7Key,
		},
	})
	if err != nil {
		panic(err)
	}
	return fixtures.Document{Name: "audited", Content: content}
}

// newFleet has VPCs like the one of S7, and instances spread over them. Those for
// which offline holds are not connected, each with a role of its own.
func newFleet(vpcs, instances int, offline func(int) bool) *fixtures.Fixture {
	f := fixtures.S7()
	r := f.Accounts[0].Regions[region]
	one := r.Network
	r.Network, r.Instances = fixtures.Network{}, nil
	for v := range vpcs {
		id := func(kind string, n int) string { return fmt.Sprintf("%s-0c%015d", kind, 100*v+n) }
		r.Network.VPCs = append(r.Network.VPCs, fixtures.VPC{ID: id("vpc", 0), CIDR: "10.0.0.0/16"})
		r.Network.Subnets = append(r.Network.Subnets, fixtures.Subnet{ID: id("subnet", 0), VPC: id("vpc", 0), CIDR: "10.0.2.0/24"})
		r.Network.SecurityGroups = append(r.Network.SecurityGroups, fixtures.SecurityGroup{
			ID: id("sg", 0), VPC: id("vpc", 0), Ingress: []fixtures.Rule{{Protocol: "tcp", From: 443, To: 443, CIDR: "10.0.0.0/16"}},
		})
		for n, e := range one.Endpoints {
			if e.Type == "Gateway" {
				continue
			}
			e.ID, e.VPC, e.Subnets, e.Groups = id("vpce", n), id("vpc", 0), []string{id("subnet", 0)}, []string{id("sg", 0)}
			r.Network.Endpoints = append(r.Network.Endpoints, e)
		}
		for i := v; i < instances; i += vpcs {
			instance := fixtures.Instance{
				ID: nodeID(i), Tags: map[string]string{"fleet": "all"}, InstanceProfile: "stg-ec2-instance-profile",
				VPC: id("vpc", 0), Subnet: id("subnet", 0), SecurityGroups: []string{id("sg", 0)}, PrivateIP: "10.0.2.10",
				Agent: &fixtures.Agent{Offline: offline(i)},
			}
			if offline(i) {
				role := f.Accounts[0].Roles[len(f.Accounts[0].Roles)-1]
				role.Name, role.ID = fmt.Sprintf("node-%d", i), ""
				f.Accounts[0].Roles = append(f.Accounts[0].Roles, role)
				instance.InstanceProfile = role.Name
			}
			r.Instances = append(r.Instances, instance)
		}
	}
	f.Accounts[0].Regions[region] = r
	return f
}

func nodeID(i int) string { return fmt.Sprintf("i-0c%015d", i) }
