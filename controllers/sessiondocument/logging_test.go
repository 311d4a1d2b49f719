package sessiondocument_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const keyID = "1234abcd-12ab-34cd-56ef-1234567890ab"

// logging is a region with a bucket, a log group and a key.
func logging(a *fixtures.Account) {
	r := a.Regions[scenario.Region]
	r.Buckets = []fixtures.Bucket{{Name: "logs-bucket"}}
	r.LogGroups = []fixtures.LogGroup{{Name: "group"}, {Name: "group-2"}}
	r.Keys = []fixtures.Key{{ID: keyID, Aliases: []string{"alias/sessions"}}}
	a.Regions[scenario.Region] = r
}

func TestWhatADocumentNamesForLoggingIsLookedAt(t *testing.T) {
	const keyARN = "arn:aws:kms:" + scenario.Region + ":" + scenario.AccountID + ":key/" + keyID
	for name, c := range map[string]struct {
		inputs v1alpha1.SessionInputs
		denied string
		status metav1.ConditionStatus
		reason string
		names  []string
		keyARN string
	}{
		"all there":               {v1alpha1.SessionInputs{S3BucketName: new("logs-bucket"), CloudWatchLogGroupName: new("group"), KMSKeyID: new(keyID)}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"a key by its alias":      {v1alpha1.SessionInputs{KMSKeyID: new("alias/sessions")}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"a key by its ARN":        {v1alpha1.SessionInputs{KMSKeyID: new(keyARN)}, "", "True", v1alpha1.ReasonLoggingChecked, nil, keyARN},
		"no bucket":               {v1alpha1.SessionInputs{S3BucketName: new("no-bucket")}, "", "False", v1alpha1.ReasonBucketNotFound, []string{"no-bucket"}, ""},
		"no log group":            {v1alpha1.SessionInputs{CloudWatchLogGroupName: new("grou")}, "", "False", v1alpha1.ReasonLogGroupNotFound, []string{"grou", scenario.Region}, ""},
		"a log group in plain":    {v1alpha1.SessionInputs{CloudWatchLogGroupName: new("group"), CloudWatchEncryptionEnabled: new(true)}, "", "False", v1alpha1.ReasonNotEncrypted, []string{"group", scenario.Region}, ""},
		"no key":                  {v1alpha1.SessionInputs{KMSKeyID: new("alias/none")}, "", "False", v1alpha1.ReasonKeyNotUsable, []string{"alias/none", scenario.Region}, ""},
		"no leave for the bucket": {v1alpha1.SessionInputs{S3BucketName: new("logs-bucket")}, "s3:GetBucketEncryption", "Unknown", v1alpha1.ReasonNotChecked, []string{"s3:GetEncryptionConfiguration"}, ""},
		"no leave for the group":  {v1alpha1.SessionInputs{CloudWatchLogGroupName: new("group")}, "logs:DescribeLogGroups", "Unknown", v1alpha1.ReasonNotChecked, []string{"logs:DescribeLogGroups"}, ""},
		"no leave for the key":    {v1alpha1.SessionInputs{KMSKeyID: new(keyID)}, "kms:DescribeKey", "Unknown", v1alpha1.ReasonNotChecked, []string{"kms:DescribeKey"}, keyARN},
		"no leave for an alias":   {v1alpha1.SessionInputs{KMSKeyID: new("alias/sessions")}, "kms:DescribeKey", "Unknown", v1alpha1.ReasonNotChecked, []string{"kms:DescribeKey"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{}, logging)
			if c.denied != "" {
				_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: c.denied})
				w.Must(err)
			}
			doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs = &c.inputs })
			w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}})), doc)
			got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace) // Nothing is held up by it.
			condition := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionLoggingReady)
			scenario.ExpectEqual(t, "the status of LoggingReady", condition.Status, c.status)
			scenario.ExpectEqual(t, "its reason", condition.Reason, c.reason)
			w.ExpectSentence(condition.Message, c.names...)
			scenario.ExpectEqual(t, "the key", got.Status.Regions[0].KeyARN, c.keyARN)
			scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs = nil })
			got = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			scenario.ExpectEqual(t, "LoggingReady of a document that names nothing", scenario.Condition(got.Status.Conditions, v1alpha1.ConditionLoggingReady), metav1.Condition{})
			scenario.ExpectEqual(t, "the key of a document that names none", got.Status.Regions[0].KeyARN, "")
		})
	}
}
