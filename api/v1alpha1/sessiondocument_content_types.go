package v1alpha1

// SessionInputs are the preferences of Standard_Stream sessions, named as in AWS.
// What is left out is written as AWS reads it then: no, or nothing.
//
// +kubebuilder:validation:XValidation:rule="!has(self.runAsEnabled) || !self.runAsEnabled || has(self.runAsDefaultUser)",message="runAsEnabled needs runAsDefaultUser, the user of the node that sessions run as"
// +kubebuilder:validation:XValidation:rule="!has(self.runAsDefaultUser) || (has(self.runAsEnabled) && self.runAsEnabled)",message="runAsDefaultUser has no effect without runAsEnabled: true; set that, or remove the user"
// +kubebuilder:validation:XValidation:rule="!has(self.s3KeyPrefix) || has(self.s3BucketName)",message="s3KeyPrefix has no effect without s3BucketName; give a bucket, or remove the prefix"
// +kubebuilder:validation:XValidation:rule="!has(self.cloudWatchStreamingEnabled) || !self.cloudWatchStreamingEnabled || has(self.cloudWatchLogGroupName)",message="cloudWatchStreamingEnabled needs cloudWatchLogGroupName, the log group to stream to"
type SessionInputs struct {
	// s3BucketName is the bucket to which the log of a session is sent at its end.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9][a-z0-9.-]+[a-z0-9]$')",message="a bucket is given by its name of 3 to 63 lower-case letters, digits and .-, not by an ARN"
	S3BucketName string `json:"s3BucketName,omitempty"`

	// s3KeyPrefix begins the names of the logs in the bucket.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	S3KeyPrefix string `json:"s3KeyPrefix,omitempty"`

	// s3EncryptionEnabled sends logs to an encrypted bucket only.
	// +optional
	S3EncryptionEnabled bool `json:"s3EncryptionEnabled,omitempty"`

	// cloudWatchLogGroupName is the log group to which the log of a session is sent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_/.#-]+$')",message="a log group is given by its name of letters, digits and _/.#-, not by an ARN"
	CloudWatchLogGroupName string `json:"cloudWatchLogGroupName,omitempty"`

	// cloudWatchEncryptionEnabled sends logs to an encrypted log group only.
	// +optional
	CloudWatchEncryptionEnabled bool `json:"cloudWatchEncryptionEnabled,omitempty"`

	// cloudWatchStreamingEnabled sends the log while the session lasts, and not at its end.
	// +optional
	CloudWatchStreamingEnabled bool `json:"cloudWatchStreamingEnabled,omitempty"`

	// kmsKeyId is the key that encrypts the data of a session: its id, its ARN,
	// alias/NAME or the ARN of an alias. A guardrail must allow it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]+)$')",message="a key is given by its id, its ARN, alias/NAME or the ARN of an alias"
	KMSKeyID string `json:"kmsKeyId,omitempty"`

	// runAsEnabled runs sessions on Linux and macOS as another user than ssm-user.
	// +optional
	RunAsEnabled bool `json:"runAsEnabled,omitempty"`

	// runAsDefaultUser is that user, which must exist on the node.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_][A-Za-z0-9_.@\\\\\\\\-]*[$]?$')",message="a user's name holds letters, digits and _.@\\- only"
	RunAsDefaultUser string `json:"runAsDefaultUser,omitempty"`

	// idleSessionTimeout ends a session that is idle for this many minutes, 1 to 60, in quotes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self.matches('^([1-9]|[1-5][0-9]|60)$')",message="idleSessionTimeout is 1 to 60 minutes, in quotes, for example \"20\""
	IdleSessionTimeout string `json:"idleSessionTimeout,omitempty"`

	// maxSessionDuration ends a session after this many minutes, 1 to 1440, in quotes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self.matches('^([1-9]|[1-9][0-9]|[1-9][0-9][0-9]|1[0-3][0-9][0-9]|14[0-3][0-9]|1440)$')",message="maxSessionDuration is 1 to 1440 minutes, in quotes, for example \"60\""
	MaxSessionDuration string `json:"maxSessionDuration,omitempty"`

	// shellProfile holds commands that run when a session begins.
	// +optional
	ShellProfile *ShellProfile `json:"shellProfile,omitempty"`
}

// ShellProfile holds the commands that run when a session begins, by platform.
//
// +kubebuilder:validation:MinProperties=1
type ShellProfile struct {
	// windows is for PowerShell.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Windows string `json:"windows,omitempty"`

	// linux is for the user's shell, on macOS too.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Linux string `json:"linux,omitempty"`
}

// ParameterType is the type of a parameter of a session document.
//
// +kubebuilder:validation:Enum=String
type ParameterType string

// ParameterString is the only type of parameters of session documents.
const ParameterString ParameterType = "String"

// DocumentParameter is something that whoever opens a session may give.
type DocumentParameter struct {
	// name of the parameter.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`

	// type of the parameter: String.
	// +optional
	// +kubebuilder:default=String
	Type ParameterType `json:"type,omitempty"`

	// description for whoever opens a session.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Description string `json:"description,omitempty"`

	// default is the value where none is given. Without it the parameter must be
	// given.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Default *string `json:"default,omitempty"`

	// allowedPattern is a regular expression that a value must match.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	AllowedPattern string `json:"allowedPattern,omitempty"`

	// allowedValues are the values that may be given, at most 50; any when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="allowedValues holds one value twice; keep one of them"
	// +kubebuilder:validation:items:MaxLength=256
	AllowedValues []string `json:"allowedValues,omitempty"`
}

// SessionProperties say what a session of commands runs, by platform, or which
// port a Port session forwards.
//
// +kubebuilder:validation:XValidation:rule="has(self.type) || (!has(self.host) && !has(self.localPortNumber))",message="host and localPortNumber need type: LocalPortForwarding"
type SessionProperties struct {
	// linux says what runs on Linux.
	// +optional
	Linux *CommandProperties `json:"linux,omitempty"`

	// windows says what runs on Windows.
	// +optional
	Windows *CommandProperties `json:"windows,omitempty"`

	// macOS says what runs on macOS.
	// +optional
	MacOS *CommandProperties `json:"macOS,omitempty"`

	// portNumber on the node or the host, in quotes, or a parameter.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:XValidation:rule="self.matches('^([1-9][0-9]{0,4}|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a port is a number in quotes, or a parameter such as \"{{ portNumber }}\""
	PortNumber string `json:"portNumber,omitempty"`

	// localPortNumber on the machine of whoever opens the session, in quotes, or
	// a parameter.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a port is a number in quotes, or a parameter such as \"{{ localPortNumber }}\""
	LocalPortNumber string `json:"localPortNumber,omitempty"`

	// type of the forwarding; without it the session carries SSH or the like itself.
	// +optional
	Type PortForwardingType `json:"type,omitempty"`

	// host that the node forwards to, or a parameter; the node itself when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9.:_-]+|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a host is a name or an address, or a parameter such as \"{{ host }}\""
	Host string `json:"host,omitempty"`
}

// PortForwardingType is how a port is forwarded.
//
// +kubebuilder:validation:Enum=LocalPortForwarding
type PortForwardingType string

// LocalPortForwarding forwards a port of the caller's machine.
const LocalPortForwarding PortForwardingType = "LocalPortForwarding"

// CommandProperties say what a session of commands runs on a platform.
type CommandProperties struct {
	// commands that run, one a line.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Commands string `json:"commands,omitempty"`

	// runAsElevated runs them as root, or as an administrator.
	// +optional
	RunAsElevated bool `json:"runAsElevated,omitempty"`
}
