package v1alpha1

// Finalizer keeps an object until the operator has cleaned up in AWS what the object
// declared.
const Finalizer = "ssm-access.dev/finalizer"

// Unobserved is the observedGeneration of an object whose conditions describe no
// generation of it. kstatus then takes it for one that is in progress.
const Unobserved int64 = -1

// TagPrefix begins every tag key that the operator writes to AWS resources. The tags
// of a policy only inform: its path and name define who owns it.
const TagPrefix = "ssm-access.dev/"

const (
	// TagObject identifies, on a document or a node, the object that it belongs to by
	// installation, namespace and name. It does not depend on the UID of the object,
	// so an object that was restored from a backup finds its resources.
	TagObject = TagPrefix + "object"
	// TagReleased is the value of TagObject on a node that stayed when its object was
	// deleted: a later object of the same name does not get it.
	TagReleased = "released"
	// TagAdopted holds, on an adopted document, the version that was the default
	// before.
	TagAdopted = TagPrefix + "adopted"
	// TagShared is on a document that a resource share of AWS RAM shares.
	TagShared = TagPrefix + "shared"
)

// DefaultDocument is the regional default session document of an account. AWS uses
// it when a session names no document.
const DefaultDocument = "SSM-SessionManagerRunShell"

// DeletionPolicy defines what happens in AWS to what an object declares when the object
// is deleted or no longer declares it for a region. Each kind allows some of the values.
type DeletionPolicy string

const (
	// DeletionRestore restores the state from before the operator changed it.
	DeletionRestore DeletionPolicy = "Restore"
	// DeletionDelete deletes the resource, also one that existed before.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionKeep leaves the resource unchanged, and removes only the operator's own
	// tags.
	DeletionKeep DeletionPolicy = "Keep"
)

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
