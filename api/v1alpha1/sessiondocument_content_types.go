package v1alpha1

// SessionInputs are the preferences of sessions, named as in AWS. They apply to every
// session type. The operator writes an omitted field with the value that AWS assumes for
// it: false or empty. A document of another type than Standard_Stream has inputs only
// where the spec has.
//
// A text may hold {{ name }} for a parameter of the document, or {{ssm:name}} for a
// parameter of Parameter Store: the agent replaces both when a session opens.
//
// An empty text is the same as an omitted field, except when a document is adopted: what
// the declaration turns off there has to be written out.
//
// +kubebuilder:validation:XValidation:rule="!has(self.runAsDefaultUser) || size(self.runAsDefaultUser) == 0 || (has(self.runAsEnabled) && self.runAsEnabled)",message="runAsDefaultUser has no effect without runAsEnabled: true; set that, or remove the user"
// +kubebuilder:validation:XValidation:rule="!has(self.s3KeyPrefix) || size(self.s3KeyPrefix) == 0 || (has(self.s3BucketName) && size(self.s3BucketName) != 0)",message="s3KeyPrefix has no effect without s3BucketName; give a bucket, or remove the prefix"
// +kubebuilder:validation:XValidation:rule="!has(self.cloudWatchStreamingEnabled) || !self.cloudWatchStreamingEnabled || has(self.cloudWatchLogGroupName)",message="cloudWatchStreamingEnabled needs cloudWatchLogGroupName, the log group to stream to; write cloudWatchLogGroupName: \"\" for none, as AWS's own preferences have it"
type SessionInputs struct {
	// s3BucketName is the bucket that receives the log of a session when the session
	// ends. Without it, no log is sent to S3.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$') || (self.matches('^([a-z0-9.-]|[{][{] *(ssm:[A-Za-z0-9_./:-]+|[A-Za-z0-9_]+) *[}][}])*$') && self.contains('{{'))",message="a bucket is given by its name of 3 to 63 lower-case letters, digits and .-, not by an ARN"
	S3BucketName *string `json:"s3BucketName,omitempty"`

	// s3KeyPrefix is the prefix of the object keys of the logs in the bucket.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	S3KeyPrefix *string `json:"s3KeyPrefix,omitempty"`

	// s3EncryptionEnabled allows logs to be sent to an encrypted bucket only.
	// Defaults to false.
	// +optional
	S3EncryptionEnabled *bool `json:"s3EncryptionEnabled,omitempty"`

	// cloudWatchLogGroupName is the log group that receives the log of a session.
	// Without it, no log is sent to CloudWatch Logs.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self == '' || (size(self) <= 512 && self.matches('^[a-zA-Z0-9_/.#-]+$')) || (self.matches('^([a-zA-Z0-9_/.#-]|[{][{] *(ssm:[A-Za-z0-9_./:-]+|[A-Za-z0-9_]+) *[}][}])*$') && self.contains('{{'))",message="a log group is given by its name of at most 512 letters, digits and _/.#-, not by an ARN"
	CloudWatchLogGroupName *string `json:"cloudWatchLogGroupName,omitempty"`

	// cloudWatchEncryptionEnabled allows logs to be sent to an encrypted log group
	// only. Defaults to false.
	// +optional
	CloudWatchEncryptionEnabled *bool `json:"cloudWatchEncryptionEnabled,omitempty"`

	// cloudWatchStreamingEnabled sends the log while the session lasts, instead of
	// when it ends. Defaults to false.
	// +optional
	CloudWatchStreamingEnabled *bool `json:"cloudWatchStreamingEnabled,omitempty"`

	// kmsKeyId is the KMS key that encrypts the data of a session: its id, its ARN,
	// alias/NAME or the ARN of an alias. A guardrail must allow it.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]+|[{][{] *(ssm:[A-Za-z0-9_./:-]+|[A-Za-z0-9_]+) *[}][}])$')",message="a key is given by its id, its ARN, alias/NAME or the ARN of an alias"
	KMSKeyID *string `json:"kmsKeyId,omitempty"`

	// runAsEnabled runs sessions on Linux and macOS as another user than ssm-user: the
	// one in the tag SSMSessionRunAs of the IAM principal, else runAsDefaultUser.
	// Defaults to false.
	// +optional
	RunAsEnabled *bool `json:"runAsEnabled,omitempty"`

	// runAsDefaultUser is the operating system user that sessions run as whose
	// principal has no tag SSMSessionRunAs. It must exist on the node. Without it,
	// principals without that tag open no session.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self == '' || (size(self) <= 100 && self.matches('^[A-Za-z0-9_][A-Za-z0-9_.@\\\\\\\\-]*[$]?$')) || (self.matches('^([A-Za-z0-9_.@\\\\\\\\-]|[{][{] *(ssm:[A-Za-z0-9_./:-]+|[A-Za-z0-9_]+) *[}][}])*$') && self.contains('{{'))",message="a user's name holds at most 100 letters, digits and _.@\\-; {{ parameter }} and {{ssm:name}} stand for a name"
	RunAsDefaultUser *string `json:"runAsDefaultUser,omitempty"`

	// idleSessionTimeout is the number of minutes after which AWS ends an idle
	// session: 1 to 60, in quotes.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^([1-9]|[1-5][0-9]|60)$')",message="idleSessionTimeout is 1 to 60 minutes, in quotes, for example \"20\""
	IdleSessionTimeout *string `json:"idleSessionTimeout,omitempty"`

	// maxSessionDuration is the number of minutes after which AWS ends a session: 1
	// to 1440, in quotes.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^([1-9]|[1-9][0-9]|[1-9][0-9][0-9]|1[0-3][0-9][0-9]|14[0-3][0-9]|1440)$')",message="maxSessionDuration is 1 to 1440 minutes, in quotes, for example \"60\""
	MaxSessionDuration *string `json:"maxSessionDuration,omitempty"`

	// shellProfile holds commands that run when a session starts.
	// +optional
	ShellProfile *ShellProfile `json:"shellProfile,omitempty"`
}

// ShellProfile holds the commands that run when a session starts, by platform.
//
// +kubebuilder:validation:MinProperties=1
type ShellProfile struct {
	// windows holds the commands for PowerShell on Windows.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Windows string `json:"windows,omitempty"`

	// linux holds the commands for the user's shell on Linux and macOS.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Linux string `json:"linux,omitempty"`
}

// ParameterType is the type of a parameter of a session document: those that the agent
// reads.
//
// +kubebuilder:validation:Enum=String;StringList;StringMap
type ParameterType string

const (
	// ParameterString is a text.
	ParameterString ParameterType = "String"
	// ParameterStringList is a list of texts.
	ParameterStringList ParameterType = "StringList"
	// ParameterStringMap is a map of texts by name.
	ParameterStringMap ParameterType = "StringMap"
)

// DocumentParameter is a parameter of a session document. A user may give its value
// when opening a session.
type DocumentParameter struct {
	// name of the parameter. Other fields of the document refer to it as {{ name }}. Use
	// letters and digits only: the agent ignores the value that a user gives for another
	// name, and takes the default.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`

	// type of the parameter: String, StringList or StringMap. The operator writes String
	// where it is omitted. The agent writes a list or a map into a text as JSON.
	// +optional
	Type ParameterType `json:"type,omitempty"`

	// description of the parameter, for the users who open sessions.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Description string `json:"description,omitempty"`

	// default is the value that a session uses when the user gives none. Without a
	// default, the user must give a value. It is that of a String: a StringList has
	// defaultList and a StringMap has defaultMap.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Default *string `json:"default,omitempty"`

	// defaultList is the default of a StringList, at most 50 texts.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=256
	DefaultList []string `json:"defaultList,omitempty"`

	// defaultMap is the default of a StringMap, at most 50 texts by name.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=50
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a name in defaultMap has 1 to 128 characters and a text at most 256"
	DefaultMap map[string]string `json:"defaultMap,omitempty"`

	// allowedPattern is a regular expression that the value must match, in a StringList
	// each text. The agent searches for it anywhere in the value: begin it with ^ and end
	// it with $ to match the whole.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	AllowedPattern string `json:"allowedPattern,omitempty"`

	// allowedValues are the only values that a user may give, at most 50. When
	// omitted, any value is allowed. In a StringList each text must be among them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="allowedValues holds one value twice; keep one of them"
	// +kubebuilder:validation:items:MaxLength=256
	AllowedValues []string `json:"allowedValues,omitempty"`

	// minChars is the least number of characters of a value, in a StringList of each
	// text.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65536
	MinChars *int32 `json:"minChars,omitempty"`

	// maxChars is the greatest number of characters of a value, in a StringList of each
	// text.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65536
	MaxChars *int32 `json:"maxChars,omitempty"`

	// minItems is the least number of items of a StringList or StringMap.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65536
	MinItems *int32 `json:"minItems,omitempty"`

	// maxItems is the greatest number of items of a StringList or StringMap.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65536
	MaxItems *int32 `json:"maxItems,omitempty"`

	// displayType is the field that the AWS console shows for the value: textfield with
	// one line, or textarea with several.
	// +optional
	DisplayType ParameterDisplayType `json:"displayType,omitempty"`

	// interpolationType ENV_VAR passes the value of a String to commands in the
	// environment variable SSM_<name> instead of writing it into them.
	// +optional
	InterpolationType InterpolationType `json:"interpolationType,omitempty"`
}

// ParameterDisplayType is the field of the AWS console for the value of a parameter.
//
// +kubebuilder:validation:Enum=textfield;textarea
type ParameterDisplayType string

const (
	// DisplayTextField has one line.
	DisplayTextField ParameterDisplayType = "textfield"
	// DisplayTextArea has several lines.
	DisplayTextArea ParameterDisplayType = "textarea"
)

// InterpolationType is the way in which a value reaches the commands of a document.
//
// +kubebuilder:validation:Enum=ENV_VAR
type InterpolationType string

// InterpolationEnvironment passes the value in an environment variable.
const InterpolationEnvironment InterpolationType = "ENV_VAR"

// SessionProperties define the commands that a session runs, by platform, or the
// port that a Port session forwards.
//
// +kubebuilder:validation:XValidation:rule="has(self.type) || (!has(self.host) && !has(self.localPortNumber))",message="host and localPortNumber need type: LocalPortForwarding"
type SessionProperties struct {
	// linux holds the commands for Linux.
	// +optional
	Linux *CommandProperties `json:"linux,omitempty"`

	// windows holds the commands for Windows.
	// +optional
	Windows *CommandProperties `json:"windows,omitempty"`

	// macOS holds the commands for macOS.
	// +optional
	MacOS *CommandProperties `json:"macOS,omitempty"`

	// portNumber is the port on the node or on the host: a number in quotes, or a
	// parameter such as "{{ portNumber }}".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:XValidation:rule="self.matches('^([1-9][0-9]{0,4}|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a port is a number in quotes, or a parameter such as \"{{ portNumber }}\""
	PortNumber string `json:"portNumber,omitempty"`

	// localPortNumber is the port on the machine of the user who opens the session: a
	// number in quotes, or a parameter such as "{{ localPortNumber }}".
	// +optional
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^([0-9]{1,5}|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a port is a number in quotes, or a parameter such as \"{{ localPortNumber }}\""
	LocalPortNumber string `json:"localPortNumber,omitempty"`

	// type of the port forwarding. When omitted, the session itself carries the
	// protocol of the client, such as SSH.
	// +optional
	Type PortForwardingType `json:"type,omitempty"`

	// host that the node forwards to: a name, an address, or a parameter such as
	// "{{ host }}". When omitted, the port is one of the node itself.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^([A-Za-z0-9.:_-]+|[{][{] ?[a-zA-Z0-9_]+ ?[}][}])$')",message="a host is a name or an address, or a parameter such as \"{{ host }}\""
	Host string `json:"host,omitempty"`
}

// PortForwardingType is the way in which a session forwards a port.
//
// +kubebuilder:validation:Enum=LocalPortForwarding
type PortForwardingType string

// LocalPortForwarding forwards a port of the user's machine to the node or the host.
const LocalPortForwarding PortForwardingType = "LocalPortForwarding"

// CommandProperties define what a session that runs commands does on one platform.
type CommandProperties struct {
	// commands to run, one per line.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Commands string `json:"commands,omitempty"`

	// runAsElevated runs the commands as root, or as an administrator on Windows.
	// Defaults to false.
	// +optional
	RunAsElevated bool `json:"runAsElevated,omitempty"`
}
