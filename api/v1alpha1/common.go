package v1alpha1

// Finalizer keeps an object until the operator has cleaned up in AWS what the object
// declared.
const Finalizer = "ssm-access.dev/finalizer"

// TagPrefix begins every tag key that the operator writes to AWS resources. The tags
// of a policy only inform: its path and name define who owns it.
const TagPrefix = "ssm-access.dev/"

const (
	// TagObject identifies, on a document or a node, the object that it belongs to by
	// installation, namespace and name. It does not depend on the UID of the object,
	// so an object that was restored from a backup finds its resources.
	TagObject = TagPrefix + "object"
	// TagAdopted holds, on an adopted document, the version that was the default
	// before.
	TagAdopted = TagPrefix + "adopted"
)

// DefaultDocument is the regional default session document of an account. AWS uses
// it when a session names no document.
const DefaultDocument = "SSM-SessionManagerRunShell"

// Region is the id of an AWS region, such as ap-northeast-1.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type Region string

// AccountReference names the AWSAccount in which the operator reconciles an object.
type AccountReference struct {
	// name of the AWSAccount.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// AccountName returns the name of the AWSAccount in spec.accountRef.
func (a *SessionAccess) AccountName() string { return a.Spec.AccountRef.Name }
