package sessiondocument

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// trouble is what is wrong with a bucket, a log group or a key.
type trouble struct {
	reason, message string
	// unknown: the check failed.
	unknown bool
}

// destinations are the bucket, the log group and the key that a document names. A bucket
// or a log group whose name the agent completes when a session opens cannot be checked.
type destinations struct {
	bucket, group, key              string
	bucketEncrypted, groupEncrypted bool
}

func destinationsOf(in *v1alpha1.SessionInputs) destinations {
	if in == nil {
		return destinations{}
	}
	known := func(text *string) string {
		if name := ptr.Deref(text, ""); !document.HasReference(name) {
			return name
		}
		return ""
	}
	return destinations{
		bucket: known(in.S3BucketName), group: known(in.CloudWatchLogGroupName), key: ptr.Deref(in.KMSKeyID, ""),
		bucketEncrypted: ptr.Deref(in.S3EncryptionEnabled, false), groupEncrypted: ptr.Deref(in.CloudWatchEncryptionEnabled, false),
	}
}

// checkLogging checks the bucket, the log groups and the keys that the document names,
// and writes none of them. A session that cannot write its log, or cannot use its key,
// fails. So the condition reports the problem, and nothing waits for it.
func (r *Reconciler) checkLogging(ctx context.Context, s *scope) {
	in := destinationsOf(s.Object.Spec.Inputs)
	if in == (destinations{}) {
		meta.RemoveStatusCondition(&s.Object.Status.Conditions, v1alpha1.ConditionLoggingReady)
		for i := range s.Object.Status.Regions {
			s.Object.Status.Regions[i].KeyARN = ""
		}
		return
	}
	var found []trouble
	bucketChecked := false
	for i := range s.Object.Status.Regions {
		at := &s.Object.Status.Regions[i]
		if !s.desired.in(at.Region) {
			continue
		}
		rs := s.inRegion(at)
		if !bucketChecked {
			found, bucketChecked = append(found, rs.checkBucket(ctx, in)...), true
		}
		found = append(found, rs.checkLogGroup(ctx, in)...)
		found = append(found, rs.checkKey(ctx, in)...)
	}
	setLogging(s, found)
}

// setLogging shows the first trouble: what is known to be wrong before what is
// not known.
func setLogging(s *scope, found []trouble) {
	status, reason, message := metav1.ConditionTrue, v1alpha1.ReasonLoggingChecked,
		"The bucket, the log groups and the keys that the document names are there."
	for _, t := range found {
		if t.unknown && status == metav1.ConditionTrue {
			status, reason, message = metav1.ConditionUnknown, t.reason, t.message
		}
		if !t.unknown {
			status, reason, message = metav1.ConditionFalse, t.reason, t.message
			break
		}
	}
	reconcile.SetCondition(&s.Object.Status.Conditions, s.Object.Generation, v1alpha1.ConditionLoggingReady, status, reason, message)
}

func wrong(reason, format string, args ...any) []trouble {
	return []trouble{{reason: reason, message: fmt.Sprintf(format, args...)}}
}

func notChecked(err error) []trouble {
	return []trouble{{reason: v1alpha1.ReasonNotChecked, message: "Not checked. " + awserr.UserMessage(err), unknown: true}}
}

// checkBucket looks at the bucket, which is the same in every region.
func (rs *regionScope) checkBucket(ctx context.Context, in destinations) []trouble {
	if in.bucket == "" {
		return nil
	}
	bucket, ok, err := rs.account.SSM(rs.region).FindBucket(ctx, in.bucket)
	switch {
	case err != nil:
		return notChecked(err)
	case !ok:
		return wrong(v1alpha1.ReasonBucketNotFound, "Bucket %q does not exist; create it, or correct inputs.s3BucketName.", in.bucket)
	case in.bucketEncrypted && !bucket.Encrypted && !bucket.Elsewhere:
		return wrong(v1alpha1.ReasonNotEncrypted, "Bucket %q is not encrypted, so sessions that must write to an encrypted bucket fail; encrypt it, or set inputs.s3EncryptionEnabled: false.", in.bucket)
	}
	return nil
}

func (rs *regionScope) checkLogGroup(ctx context.Context, in destinations) []trouble {
	name := in.group
	if name == "" {
		return nil
	}
	group, ok, err := rs.account.SSM(rs.region).FindLogGroup(ctx, name)
	switch {
	case err != nil:
		return notChecked(err)
	case !ok:
		return wrong(v1alpha1.ReasonLogGroupNotFound, "Log group %q does not exist in %s; create it, or correct inputs.cloudWatchLogGroupName.", name, rs.region)
	case in.groupEncrypted && group.KeyARN == "":
		return wrong(v1alpha1.ReasonNotEncrypted, "Log group %q in %s has no key of its own, so sessions that must write to an encrypted log group fail; associate a key with it, or set inputs.cloudWatchEncryptionEnabled: false.", name, rs.region)
	}
	return nil
}

// checkKey checks the key, and keeps its ARN for the SessionAccesses that grant its use.
func (rs *regionScope) checkKey(ctx context.Context, in destinations) []trouble {
	rs.at.KeyARN = ""
	id := in.key
	switch {
	case id == "":
		return nil
	case document.HasReference(id):
		return []trouble{{unknown: true, reason: v1alpha1.ReasonNotChecked, message: fmt.Sprintf(
			"Not checked. The agent reads inputs.kmsKeyId %q when a session opens, so the operator grants no key; name the key itself, or allow kms:GenerateDataKey by other means.", id)}}
	}
	key, ok, err := rs.account.SSM(rs.region).FindKey(ctx, id)
	switch {
	case err != nil:
		rs.at.KeyARN = ssm.KeyARN(rs.account.Partition, rs.region, rs.account.AccountID, id)
		return notChecked(err)
	case !ok:
		return wrong(v1alpha1.ReasonKeyNotUsable, "Key %q does not exist in %s; correct inputs.kmsKeyId, or declare only regions that have it.", id, rs.region)
	}
	rs.at.KeyARN = key.ARN
	if key.State != "Enabled" || !key.Symmetric {
		return wrong(v1alpha1.ReasonKeyNotUsable, "Key %q in %s cannot encrypt sessions: it has to be a symmetric key, and enabled; its state is %s.", id, rs.region, key.State)
	}
	return nil
}
