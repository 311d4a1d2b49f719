package awsemulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const keyARN = "arn:aws:kms:" + region + ":" + account + ":key/" + fixtures.S7Key

func TestKeyIsFoundByIdARNAndAlias(t *testing.T) {
	w := newWorld(t, withS7)
	for _, ref := range []string{fixtures.S7Key, keyARN, "alias/session-manager", "arn:aws:kms:" + region + ":" + account + ":alias/session-manager"} {
		out := must(w.kms(operator).DescribeKey(ctx(t), &kms.DescribeKeyInput{KeyId: aws.String(ref)}))(t)
		if k := out.KeyMetadata; *k.Arn != keyARN || k.KeyState != kmstypes.KeyStateEnabled || !k.Enabled || k.CreationDate.IsZero() {
			t.Errorf("by %s the key is %+v", ref, k)
		}
	}
	policy := must(w.kms(operator).GetKeyPolicy(ctx(t), &kms.GetKeyPolicyInput{KeyId: aws.String(keyARN), PolicyName: aws.String("default")}))(t)
	if !strings.Contains(*policy.Policy, "logs."+region+".amazonaws.com") {
		t.Errorf("the policy is %s", *policy.Policy)
	}
	for _, ref := range []string{"alias/none", "00000000-0000-0000-0000-000000000000", "arn:aws:kms:us-east-1:" + account + ":key/" + fixtures.S7Key, "nonsense"} {
		_, err := w.kms(admin).DescribeKey(ctx(t), &kms.DescribeKeyInput{KeyId: aws.String(ref)})
		wantCode(t, err, "NotFoundException")
	}
	_, err := w.kms(admin).GetKeyPolicy(ctx(t), &kms.GetKeyPolicyInput{KeyId: aws.String("alias/session-manager")})
	wantCode(t, err, "NotFoundException")
}

func TestKeyPolicyHasTheFirstWord(t *testing.T) {
	w := newWorld(t, withS7)
	keys := w.Account(account).Region(region).Keys
	describe := func(c aws.Credentials) error {
		return second(w.kms(c).DescribeKey(ctx(t), &kms.DescribeKeyInput{KeyId: aws.String(fixtures.S7Key)}))
	}
	set := func(statement string) {
		t.Helper()
		if err := keys.SetPolicy(fixtures.S7Key, `{"Version":"2012-10-17","Statement":[`+statement+`]}`); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, describe(user01), "AccessDeniedException")
	set(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:user/user01"},"Action":"kms:*","Resource":"*"}`)
	wantCode(t, describe(user01), "")
	err := describe(admin)
	wantCode(t, err, "AccessDeniedException")
	if !strings.Contains(err.Error(), "because no resource-based policy allows the kms:DescribeKey action") {
		t.Errorf("the sentence is %v", err)
	}
	set(`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + account + `:user/admin"},"Action":"kms:DescribeKey","Resource":"*"}`)
	err = describe(admin)
	wantCode(t, err, "AccessDeniedException")
	if !strings.Contains(err.Error(), "with an explicit deny in a resource-based policy") {
		t.Errorf("the sentence is %v", err)
	}
	wantCode(t, describe(operator), "")
}

func TestLogGroupsAreFoundByPrefixAndPaged(t *testing.T) {
	w := newWorld(t, withS7)
	groups := w.Account(account).Region(region).Logs
	groups.Load([]fixtures.LogGroup{{Name: "/a/1"}, {Name: "/a/2", RetentionDays: 7}, {Name: "/b"}})
	find := func(in cloudwatchlogs.DescribeLogGroupsInput) string {
		var names []string
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(w.logs(operator), &in)
		for pages.HasMorePages() {
			for _, g := range must(pages.NextPage(ctx(t)))(t).LogGroups {
				names = append(names, *g.LogGroupName)
			}
		}
		return strings.Join(names, " ")
	}
	if got := find(cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(1)}); got != "/a/1 /a/2 /b LogGroup-SessionManager" {
		t.Errorf("all groups are %s", got)
	}
	if got := find(cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/a")}); got != "/a/1 /a/2" {
		t.Errorf("with the prefix there are %s", got)
	}
	out := must(w.logs(operator).DescribeLogGroups(ctx(t), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(fixtures.S7LogGroup)}))(t)
	if g := out.LogGroups[0]; *g.KmsKeyId != keyARN || *g.Arn != "arn:aws:logs:"+region+":"+account+":log-group:LogGroup-SessionManager:*" || *g.CreationTime != start.UnixMilli() {
		t.Errorf("the group is %+v", g)
	}
	_, err := w.logs(operator).DescribeLogGroups(ctx(t), &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(51)})
	wantCode(t, err, "InvalidParameterException")
	_, err = w.logs(user01).DescribeLogGroups(ctx(t), &cloudwatchlogs.DescribeLogGroupsInput{})
	wantCode(t, err, "AccessDeniedException")
}

func TestBucketsTellTheirSettings(t *testing.T) {
	w := newWorld(t, withEverything)
	bucket := aws.String(fixtures.S7Bucket)
	encryption := must(w.s3(operator).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: bucket}))(t)
	if rule := encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault; rule.SSEAlgorithm != s3types.ServerSideEncryptionAwsKms || *rule.KMSMasterKeyID != keyARN {
		t.Errorf("the encryption is %+v", rule)
	}
	if location := must(w.s3(admin).GetBucketLocation(ctx(t), &s3.GetBucketLocationInput{Bucket: bucket}))(t); location.LocationConstraint != region {
		t.Errorf("the location is %s", location.LocationConstraint)
	}
	if head := must(w.s3(admin).HeadBucket(ctx(t), &s3.HeadBucketInput{Bucket: bucket}))(t); *head.BucketRegion != region {
		t.Errorf("the head is %+v", head)
	}
	if policy := must(w.s3(admin).GetBucketPolicy(ctx(t), &s3.GetBucketPolicyInput{Bucket: aws.String("with-policy")}))(t); !strings.Contains(*policy.Policy, "Only TLS") {
		t.Errorf("the policy is %s", *policy.Policy)
	}
	_, err := w.s3(admin).GetBucketPolicy(ctx(t), &s3.GetBucketPolicyInput{Bucket: bucket})
	wantCode(t, err, "NoSuchBucketPolicy")
	_, err = w.s3(admin).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: aws.String("with-policy")})
	wantCode(t, err, "ServerSideEncryptionConfigurationNotFoundError")
	_, err = w.s3(admin).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: aws.String("no-such-bucket")})
	wantCode(t, err, "NoSuchBucket")
	_, err = w.s3(admin).HeadBucket(ctx(t), &s3.HeadBucketInput{Bucket: aws.String("no-such-bucket")})
	wantCode(t, err, "NotFound")
	_, err = w.s3(user01).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: bucket})
	wantCode(t, err, "AccessDenied")
	_, err = w.s3(admin).ListObjectsV2(ctx(t), &s3.ListObjectsV2Input{Bucket: bucket})
	wantCode(t, err, "NotImplemented")
	_, err = w.s3(key("AKIANOBODY0000000000", "x")).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: bucket})
	wantCode(t, err, "InvalidAccessKeyId")
	must(w.Inject(faults.Fault{Kind: faults.Throttle, Action: "s3:*"}))(t)
	_, err = w.s3(admin).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: bucket})
	wantCode(t, err, "SlowDown")
}

func TestBucketIsNamedByTheHostToo(t *testing.T) {
	w := newWorld(t, withS7)
	w.url = strings.Replace(w.url, "127.0.0.1", "localhost", 1)
	c := s3.NewFromConfig(w.config(operator), func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: toLoopback{}}
	})
	must(c.GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: aws.String(fixtures.S7Bucket)}))(t)
}

// toLoopback connects to bucket.localhost as resolvers of machines do.
type toLoopback struct{}

func (toLoopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Host, fixtures.S7Bucket+".localhost:") {
		return nil, http.ErrNotSupported
	}
	r.Host = r.URL.Host
	r.URL.Host = "127.0.0.1:" + r.URL.Port()
	return http.DefaultTransport.RoundTrip(r)
}

func TestBucketOfAnotherRegionAndAccount(t *testing.T) {
	w := newWorld(t, withS7)
	other := fixtures.Account{ID: "000000000002", Regions: map[string]fixtures.Region{
		region: {Buckets: []fixtures.Bucket{{Name: "of-others", Encryption: "AES256"}}},
	}}
	if err := w.AddAccount(other); err != nil {
		t.Fatal(err)
	}
	_, err := w.s3(admin).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: aws.String("of-others")})
	wantCode(t, err, "AccessDenied")
	_, err = w.s3(admin).GetBucketEncryption(ctx(t), &s3.GetBucketEncryptionInput{Bucket: aws.String(fixtures.S7Bucket)}, func(o *s3.Options) { o.Region = "us-east-1" })
	wantCode(t, err, "PermanentRedirect")
}
