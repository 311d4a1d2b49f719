package controllers_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const keyID = "1234abcd-12ab-34cd-56ef-1234567890ab"

// logging is a region with a bucket, a log group and a key.
func logging(a *fixtures.Account) {
	r := a.Regions[region]
	r.Buckets = []fixtures.Bucket{{Name: "logs-bucket"}}
	r.LogGroups = []fixtures.LogGroup{{Name: "group"}, {Name: "group-2"}}
	r.Keys = []fixtures.Key{{ID: keyID, Aliases: []string{"alias/sessions"}}}
	a.Regions[region] = r
}

func TestWhatADocumentNamesForLoggingIsLookedAt(t *testing.T) {
	const keyARN = "arn:aws:kms:" + region + ":" + accountID + ":key/" + keyID
	for name, c := range map[string]struct {
		inputs v1alpha1.SessionInputs
		denied string
		status metav1.ConditionStatus
		reason string
		names  []string
		keyARN string
	}{
		"all there":               {v1alpha1.SessionInputs{S3BucketName: "logs-bucket", CloudWatchLogGroupName: "group", KMSKeyID: keyID}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"a key by its alias":      {v1alpha1.SessionInputs{KMSKeyID: "alias/sessions"}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"a key by its ARN":        {v1alpha1.SessionInputs{KMSKeyID: keyARN}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"no bucket":               {v1alpha1.SessionInputs{S3BucketName: "no-bucket"}, "", "False", v1alpha1.ReasonBucketNotFound, []string{"no-bucket"}, ""},
		"no log group":            {v1alpha1.SessionInputs{CloudWatchLogGroupName: "grou"}, "", "False", v1alpha1.ReasonLogGroupNotFound, []string{"grou", region}, ""},
		"a log group in plain":    {v1alpha1.SessionInputs{CloudWatchLogGroupName: "group", CloudWatchEncryptionEnabled: true}, "", "False", v1alpha1.ReasonNotEncrypted, []string{"group", region}, ""},
		"no key":                  {v1alpha1.SessionInputs{KMSKeyID: "alias/none"}, "", "False", v1alpha1.ReasonKeyNotUsable, []string{"alias/none", region}, ""},
		"no leave for the bucket": {v1alpha1.SessionInputs{S3BucketName: "logs-bucket"}, "s3:GetBucketEncryption", "Unknown", v1alpha1.ReasonNotChecked, []string{"s3:GetEncryptionConfiguration"}, ""},
		"no leave for the group":  {v1alpha1.SessionInputs{CloudWatchLogGroupName: "group"}, "logs:DescribeLogGroups", "Unknown", v1alpha1.ReasonNotChecked, []string{"logs:DescribeLogGroups"}, ""},
		"no leave for the key":    {v1alpha1.SessionInputs{KMSKeyID: keyID}, "kms:DescribeKey", "Unknown", v1alpha1.ReasonNotChecked, []string{"kms:DescribeKey"}, keyARN},
		"no leave for an alias":   {v1alpha1.SessionInputs{KMSKeyID: "alias/sessions"}, "kms:DescribeKey", "Unknown", v1alpha1.ReasonNotChecked, []string{"kms:DescribeKey"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{}, logging)
			if c.denied != "" {
				_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: c.denied})
				w.must(err)
			}
			doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs = &c.inputs })
			w.create(account(allowing(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}})), doc)
			got := w.documentIs(doc, v1alpha1.ReasonInPlace) // Nothing is held up by it.
			told := condition(got.Status.Conditions, v1alpha1.ConditionLoggingReady)
			same(t, "the status of LoggingReady", told.Status, c.status)
			same(t, "its reason", told.Reason, c.reason)
			w.sentence(told.Message, c.names...)
			same(t, "the key", got.Status.Regions[0].KeyARN, c.keyARN)
			change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs = nil })
			got = w.documentIs(doc, v1alpha1.ReasonInPlace)
			same(t, "LoggingReady of a document that names nothing", condition(got.Status.Conditions, v1alpha1.ConditionLoggingReady), metav1.Condition{})
			same(t, "the key of a document that names none", got.Status.Regions[0].KeyARN, "")
		})
	}
}
