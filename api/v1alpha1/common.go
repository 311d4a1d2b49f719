package v1alpha1

// Finalizer keeps an object until what it declared is gone from AWS.
const Finalizer = "ssm-access.dev/finalizer"

// TagPrefix begins every tag key that the operator writes to AWS resources.
// Tags inform; ownership of a policy is its path and name.
const TagPrefix = "ssm-access.dev/"

const (
	// TagObject names, on a document or a node, the object that it belongs to by
	// installation, namespace and name. It outlives the object's UID, so that an
	// object that was restored finds what it had.
	TagObject = TagPrefix + "object"
	// TagAdopted holds, on a document that was taken over, the version that was
	// the default before.
	TagAdopted = TagPrefix + "adopted"
)

// DefaultDocument is the account's regional default session document, which
// AWS uses when a session names none.
const DefaultDocument = "SSM-SessionManagerRunShell"

// Region is the id of an AWS region, such as ap-northeast-1.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type Region string

// AccountReference names the AWSAccount that an object converges.
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

// AccountName is the AWSAccount that the object names.
func (a *SessionAccess) AccountName() string { return a.Spec.AccountRef.Name }
