package ssm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// LogGroup is a log group of CloudWatch Logs.
type LogGroup struct {
	Name string
	// KeyARN is the customer managed key that encrypts it; "" for none.
	KeyARN string
}

// FindLogGroup looks for a log group by its whole name; ok is false when there
// is none. One call, more when 50 others begin with the same name.
func (r Region) FindLogGroup(ctx context.Context, name string) (group LogGroup, ok bool, err error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return LogGroup{}, false, err
	}
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(clients.Logs(r.name), &cloudwatchlogs.DescribeLogGroupsInput{
		LogGroupNamePrefix: &name,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return LogGroup{}, false, r.account.Explain(err, "looking for log group %q in %s", name, r.name)
		}
		for _, found := range page.LogGroups {
			if aws.ToString(found.LogGroupName) == name {
				return logGroupOf(found), true, nil
			}
		}
	}
	return LogGroup{}, false, nil
}

func logGroupOf(g logstypes.LogGroup) LogGroup {
	return LogGroup{Name: aws.ToString(g.LogGroupName), KeyARN: aws.ToString(g.KmsKeyId)}
}

// The error codes of S3 that say something about a bucket.
const (
	codeNoSuchBucket = "NoSuchBucket"
	// codeNotEncrypted is that of a bucket without default encryption. Every
	// bucket has had one since 2023.
	codeNotEncrypted = "ServerSideEncryptionConfigurationNotFoundError"
)

// elsewhereCodes are those of a bucket that is in another region: it exists,
// and is not looked into.
var elsewhereCodes = map[string]bool{
	"PermanentRedirect": true, "TemporaryRedirect": true, "AuthorizationHeaderMalformed": true, "IllegalLocationConstraintException": true,
	// An answer to a call that asks for the head alone has no code of its own.
	"MovedPermanently": true, "301": true,
}

// Bucket is what is known of an S3 bucket.
type Bucket struct {
	Name string
	// Encrypted: it has a default encryption. Not known Elsewhere.
	Encrypted bool
	// Key is the customer's key of KMS that it is encrypted with, as the setting
	// names it: by id, ARN or alias. Empty for another encryption.
	Key string
	// Elsewhere: the bucket is in another region.
	Elsewhere bool
}

// FindBucket looks whether a bucket exists and is encrypted by default; ok is
// false when it does not exist. One call.
func (r Region) FindBucket(ctx context.Context, name string) (bucket Bucket, ok bool, err error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return Bucket{}, false, err
	}
	out, err := clients.S3(r.name).GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name})
	switch code := awserr.Code(err); {
	case err == nil:
		rules := out.ServerSideEncryptionConfiguration
		return Bucket{Name: name, Encrypted: rules != nil && len(rules.Rules) > 0, Key: bucketKey(rules)}, true, nil
	case code == codeNoSuchBucket:
		return Bucket{}, false, nil
	case code == codeNotEncrypted:
		return Bucket{Name: name}, true, nil
	case elsewhereCodes[code]:
		return Bucket{Name: name, Elsewhere: true}, true, nil
	default:
		return Bucket{}, false, r.account.Explain(err, "looking at bucket %q", name)
	}
}

// awsBucketKey ends the names of the key that AWS manages for buckets. Every
// principal that can write to a bucket can use it.
const awsBucketKey = "alias/aws/s3"

func bucketKey(c *s3types.ServerSideEncryptionConfiguration) string {
	if c == nil {
		return ""
	}
	for _, rule := range c.Rules {
		if d := rule.ApplyServerSideEncryptionByDefault; d != nil && !strings.HasSuffix(aws.ToString(d.KMSMasterKeyID), awsBucketKey) {
			return aws.ToString(d.KMSMasterKeyID)
		}
	}
	return ""
}

// Key is a key of KMS.
type Key struct {
	// ARN of the key itself, never of an alias.
	ARN string
	// State such as "Enabled", "Disabled", "PendingDeletion".
	State string
	// Symmetric: it encrypts and decrypts, as sessions need it.
	Symmetric bool
}

// codeNoSuchKey is KMS's error for a key or an alias that it does not know.
const codeNoSuchKey = "NotFoundException"

// FindKey looks for a key by its id, ARN, alias ("alias/…") or alias ARN; ok is
// false when there is none. One call.
func (r Region) FindKey(ctx context.Context, id string) (key Key, ok bool, err error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return Key{}, false, err
	}
	out, err := clients.KMS(r.name).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if awserr.Code(err) == codeNoSuchKey {
		return Key{}, false, nil
	}
	if err == nil && out.KeyMetadata == nil {
		err = errors.New("the answer names no key")
	}
	if err != nil {
		return Key{}, false, r.account.Explain(err, "looking for key %q in %s", id, r.name)
	}
	m := out.KeyMetadata
	return Key{
		ARN: aws.ToString(m.Arn), State: string(m.KeyState), Symmetric: strings.HasPrefix(string(m.KeySpec), "SYMMETRIC"),
	}, true, nil
}

// KeyARN is the ARN of a key that cannot be read, by what a document calls it: an id is that
// of a key of the account. "" for an alias, which only KMS can resolve.
func KeyARN(partition, region, accountID, id string) string {
	switch {
	case strings.Contains(id, "alias/"):
		return ""
	case strings.HasPrefix(id, "arn:"):
		return id
	default:
		return fmt.Sprintf("arn:%s:kms:%s:%s:key/%s", partition, region, accountID, id)
	}
}

// KeyPolicy reads the policy of a key by its ARN, as JSON. One call.
func (r Region) KeyPolicy(ctx context.Context, keyARN string) (string, error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return "", err
	}
	out, err := clients.KMS(r.name).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &keyARN})
	if err != nil {
		return "", r.account.Explain(err, "reading the policy of key %s", keyARN)
	}
	return aws.ToString(out.Policy), nil
}
