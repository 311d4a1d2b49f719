package ssm

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

func newWorldWithLogging(t *testing.T) *world {
	t.Helper()
	const key = "1234abcd-12ab-34cd-56ef-1234567890ab"
	fixture := emulated.Fixture()
	fixture.Accounts[0].Regions = map[string]fixtures.Region{testRegion: {
		Keys:      []fixtures.Key{{ID: key, Aliases: []string{"alias/sessions"}}, {ID: "1234abcd-12ab-34cd-56ef-1234567890ac", State: "Disabled"}},
		LogGroups: []fixtures.LogGroup{{Name: "group-longer"}, {Name: "group", Key: key}},
		Buckets:   []fixtures.Bucket{{Name: "plain-bucket"}, {Name: "kms-bucket", Encryption: "aws:kms", Key: key}},
	}}
	return newWorldOf(t, fixture)
}

func TestLogGroupsAreFoundByTheirWholeName(t *testing.T) {
	w := newWorldWithLogging(t)
	group, ok, err := w.region.FindLogGroup(t.Context(), "group")
	w.must(err)
	if !ok || group.Name != "group" || group.KeyARN == "" {
		t.Errorf("%v %+v", ok, group)
	}
	if group, ok, err := w.region.FindLogGroup(t.Context(), "grou"); ok || err != nil {
		t.Errorf("%v %+v %v", ok, group, err)
	}
}

func TestBucketsAreFound(t *testing.T) {
	w := newWorldWithLogging(t)
	for name, want := range map[string]struct {
		ok     bool
		bucket Bucket
	}{
		"kms-bucket": {true, Bucket{Name: "kms-bucket", Encrypted: true, Key: "arn:aws:kms:" + testRegion + ":" + testAccount + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"}},
		"no-bucket":  {false, Bucket{}},
	} {
		bucket, ok, err := w.region.FindBucket(t.Context(), name)
		if err != nil || ok != want.ok || bucket != want.bucket {
			t.Errorf("%s: %v %+v %v", name, ok, bucket, err)
		}
	}
	if _, err := w.aws.Inject(faults.Fault{Kind: faults.Error, Action: "s3:*", Code: "PermanentRedirect", Status: 301}); err != nil {
		t.Fatal(err)
	}
	if bucket, ok, err := w.region.FindBucket(t.Context(), "kms-bucket"); err != nil || !ok || !bucket.Elsewhere {
		t.Errorf("in another region: %v %+v %v", ok, bucket, err)
	}
}

func TestKeysAreFoundByEveryName(t *testing.T) {
	w := newWorldWithLogging(t)
	const arn = "arn:aws:kms:" + testRegion + ":" + testAccount + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for _, id := range []string{"1234abcd-12ab-34cd-56ef-1234567890ab", arn, "alias/sessions", "arn:aws:kms:" + testRegion + ":" + testAccount + ":alias/sessions"} {
		key, ok, err := w.region.FindKey(t.Context(), id)
		if err != nil || !ok || key.ARN != arn || key.State != "Enabled" || !key.Symmetric {
			t.Errorf("%s: %v %+v %v", id, ok, key, err)
		}
	}
	if key, ok, err := w.region.FindKey(t.Context(), "1234abcd-12ab-34cd-56ef-1234567890ac"); err != nil || !ok || key.State != "Disabled" {
		t.Errorf("a disabled key: %v %+v %v", ok, key, err)
	}
	if key, ok, err := w.region.FindKey(t.Context(), "alias/none"); err != nil || ok {
		t.Errorf("no key: %v %+v %v", ok, key, err)
	}
}

func TestTheActionThatIsMissingIsNamedAsIAMSpellsIt(t *testing.T) {
	w := newWorldWithLogging(t)
	_, err := w.account.Identity(t.Context())
	w.must(err)
	if _, err := w.aws.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, _, bucket := w.region.FindBucket(ctx, "kms-bucket")
	_, _, group := w.region.FindLogGroup(ctx, "group")
	_, _, key := w.region.FindKey(ctx, "alias/sessions")
	for want, err := range map[string]error{"s3:GetEncryptionConfiguration": bucket, "logs:DescribeLogGroups": group, "kms:DescribeKey": key} {
		if got := awserr.Action(err); got != want || awserr.Classify(err) != awserr.Refused {
			t.Errorf("the action is %q, want %q; class %s of %v", got, want, awserr.Classify(err), err)
		}
	}
}
