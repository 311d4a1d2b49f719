package check

// Document is a session document.
type Document struct {
	Name string
	// Content is of ssm:GetDocument, or [AWSDocument] of the name. If the
	// region's default document does not exist, Content has the zero value.
	Content Known[Content]
}

// Content is what a session document asks of the node, by the names of its
// inputs in schema 1.0.
type Content struct {
	// SessionType is Standard_Stream, InteractiveCommands, NonInteractiveCommands
	// or Port.
	SessionType string
	// Bucket is s3BucketName, KeyPrefix is s3KeyPrefix; empty without a log in S3.
	// BucketEncryption is s3EncryptionEnabled.
	Bucket, KeyPrefix string
	BucketEncryption  bool
	// LogGroup is cloudWatchLogGroupName; empty without a log in CloudWatch.
	LogGroup string
	// LogGroupEncryption is cloudWatchEncryptionEnabled, Streaming is
	// cloudWatchStreamingEnabled.
	LogGroupEncryption, Streaming bool
	// SessionKey is kmsKeyId: an id, an ARN or an alias.
	SessionKey string
	// SessionKeyTemplate is kmsKeyId where it refers to a parameter, as {{ name }} and
	// {{ssm:name}} do; SessionKey is empty then.
	SessionKeyTemplate string
	// RunAs is runAsEnabled. ShellProfile: shellProfile has a command for some
	// platform.
	RunAs, ShellProfile bool
	// RemoteHost: properties of a Port document have a host.
	RemoteHost bool
}

// Logging is what the session documents of a region name, by the names that
// they use. What is not in a map was not asked for.
type Logging struct {
	// LogGroups are of logs:DescribeLogGroups.
	LogGroups map[string]Known[LogGroup]
	// Buckets are of s3:GetEncryptionConfiguration (GetBucketEncryption).
	Buckets map[string]Known[Bucket]
	// Keys are session keys by the document's name for them, and the keys of log
	// groups by [LogGroup.Key].
	Keys map[string]Key
}

// LogGroup is an entry of logs:DescribeLogGroups.
type LogGroup struct {
	// Exists: there is an entry of exactly that name.
	Exists bool
	// Key is kmsKeyId, an ARN; empty when not encrypted with a key of KMS.
	Key string
}

// Bucket is a bucket of S3.
type Bucket struct {
	// Exists: the answer was not NoSuchBucket.
	Exists bool
	// Encrypted: the answer was not ServerSideEncryptionConfigurationNotFoundError.
	Encrypted bool
	// Key is the ARN of the customer's key in KMSMasterKeyID of the rule. Empty for
	// a key of AWS's own, without a key, and where the ARN is not known.
	Key string
}

// Key is a key of KMS.
type Key struct {
	// State is KeyState of kms:DescribeKey: Enabled, Disabled, PendingDeletion, …
	// Empty when the answer was NotFoundException.
	State Known[string]
	// ARN is Arn of kms:DescribeKey; empty when not known.
	ARN string
	// Policy is the JSON of kms:GetKeyPolicy. For the keys of log groups only.
	Policy Known[string]
}
