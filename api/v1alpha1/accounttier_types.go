package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tier is the instances tier of hybrid nodes. Session Manager opens sessions on
// hybrid nodes only under Advanced, for which AWS charges by node and hour.
//
// +kubebuilder:validation:Enum=Standard;Advanced
type Tier string

const (
	// TierStandard is free of charge, allows 1,000 hybrid nodes in an account and
	// region, and opens no sessions on them.
	TierStandard Tier = "Standard"
	// TierAdvanced opens sessions on hybrid nodes. AWS charges for each of them.
	TierAdvanced Tier = "Advanced"
)

// AccountTierSpec declares the instances tier of an account's hybrid nodes.
type AccountTierSpec struct {
	// accountRef names the AWSAccount. It cannot be changed, because the former tier
	// could not be restored in another account.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another AccountTier for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// regions whose tier is declared. Each must be among the regions of the
	// AWSAccount, which are the default. When a region is removed, deletionPolicy
	// defines what happens to its tier.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// tier that every region gets: Standard or Advanced.
	// +required
	Tier Tier `json:"tier,omitempty"`

	// deletionPolicy defines what happens to the tier when this object is deleted or a
	// region is removed from it. Restore, the default, restores the former tier; Keep
	// leaves the tier unchanged.
	// +optional
	// +kubebuilder:validation:Enum=Restore;Keep
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// onDelete is the former name of deletionPolicy. It applies to an object without
	// deletionPolicy.
	//
	// Deprecated: Use deletionPolicy.
	// +optional
	// +kubebuilder:validation:Enum=Restore;Keep
	OnDelete DeletionPolicy `json:"onDelete,omitempty"`

	// price from which the operator computes the estimated cost.
	// +optional
	// +kubebuilder:default={perNodeHour: "0.00695"}
	Price TierPrice `json:"price,omitzero"`

	// suspend stops changes: while it is true, no tier is changed. The tier of a region
	// that is no longer declared is still restored.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// TierPrice is the price of the Advanced tier.
type TierPrice struct {
	// perNodeHour is the price in USD of one hybrid node for one hour under the
	// Advanced tier, as a decimal number in quotes. Defaults to "0.00695", the list
	// price of AWS.
	// +optional
	// +kubebuilder:default="0.00695"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^(0|[1-9][0-9]{0,3})([.][0-9]{1,8})?$')",message="perNodeHour is a price in USD with at most four digits before the point and eight after it, in quotes, for example \"0.00695\""
	PerNodeHour string `json:"perNodeHour,omitempty"`
}

// AccountTierStatus is the observed state of an account's tiers.
type AccountTierStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe; -1
	// before the operator has reconciled the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the tier: Ready always, Reconciling or Stalled while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// hybridNodes is the number of hybrid nodes that are registered in all the
	// regions.
	// +optional
	// +kubebuilder:validation:Minimum=0
	HybridNodes *int32 `json:"hybridNodes,omitempty"`

	// usdPerMonth is the estimated cost in USD of all the regions for 30 days.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	USDPerMonth string `json:"usdPerMonth,omitempty"`

	// regions holds the observed state of each region. A region that the spec no
	// longer names stays until the operator has restored or released its tier, as
	// deletionPolicy requires.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=80
	Regions []RegionTier `json:"regions,omitempty"`
}

// RegionTier is the observed tier of one region.
type RegionTier struct {
	// region that the entry describes.
	// +required
	Region Region `json:"region,omitempty"`

	// tier that the region has now. While AWS is changing it, this is the former
	// tier, if the operator knows it.
	// +optional
	Tier Tier `json:"tier,omitempty"`

	// changingTo is the requested tier while AWS has not finished the change.
	// +optional
	ChangingTo Tier `json:"changingTo,omitempty"`

	// pendingSince is when the operator sent that change, or observed it for the
	// first time.
	// +optional
	PendingSince *metav1.Time `json:"pendingSince,omitempty"`

	// hybridNodes is the number of hybrid nodes that are registered in the region.
	// +optional
	// +kubebuilder:validation:Minimum=0
	HybridNodes *int32 `json:"hybridNodes,omitempty"`

	// estimatedCost of the hybrid nodes under the current tier. It is 0 under
	// Standard.
	// +optional
	EstimatedCost *EstimatedCost `json:"estimatedCost,omitempty"`

	// before is the tier that the region had before the operator changed it. The
	// operator records it before the first write, and deletionPolicy: Restore
	// restores it.
	// +optional
	Before *TierBefore `json:"before,omitempty"`
}

// EstimatedCost is the exact product of the number of hybrid nodes and spec.price.
type EstimatedCost struct {
	// usdPerHour is the cost of one hour in USD.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	USDPerHour string `json:"usdPerHour,omitempty"`

	// usdPerMonth is the cost of 30 days in USD.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	USDPerMonth string `json:"usdPerMonth,omitempty"`
}

// TierBefore is the tier that a region had before the operator changed it.
type TierBefore struct {
	// tier that the region had.
	// +required
	Tier Tier `json:"tier,omitempty"`

	// customized reports whether another writer had set the tier. Otherwise it was
	// the default of AWS, and the operator restores it with a reset.
	// +optional
	Customized bool `json:"customized,omitempty"`
}

// AccountTier declares the instances tier of an account's hybrid nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=ssmtier
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="TIER",type=string,JSONPath=`.spec.tier`
// +kubebuilder:printcolumn:name="NODES",type=integer,JSONPath=`.status.hybridNodes`
// +kubebuilder:printcolumn:name="USD/MONTH",type=string,JSONPath=`.status.usdPerMonth`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type AccountTier struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired tier.
	// +required
	Spec AccountTierSpec `json:"spec,omitzero"`

	// status is the observed state of the tier.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status AccountTierStatus `json:"status,omitzero"`
}

// AccountName returns the name of the AWSAccount in spec.accountRef.
func (t *AccountTier) AccountName() string { return t.Spec.AccountRef.Name }

// DeletionPolicy returns what happens to the tier when the object no longer declares it:
// spec.deletionPolicy, its former name spec.onDelete, or Restore.
func (t *AccountTier) DeletionPolicy() DeletionPolicy {
	return cmp.Or(t.Spec.DeletionPolicy, t.Spec.OnDelete, DeletionRestore)
}

// AccountTierList is a list of AccountTiers.
//
// +kubebuilder:object:root=true
type AccountTierList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AccountTier `json:"items"`
}

// EmptyList returns an empty AccountTierList.
func (*AccountTier) EmptyList() ObjectList { return &AccountTierList{} }

// HasRecord reports whether the status names regions.
func (t *AccountTier) HasRecord() bool { return len(t.Status.Regions) > 0 }

// StatusFields returns pointers to the status, and to what every kind has in it.
func (t *AccountTier) StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string) {
	return &t.Status, &t.Status.Conditions, &t.Status.ObservedGeneration, nil
}

// IsSuspended returns spec.suspend.
func (t *AccountTier) IsSuspended() bool { return t.Spec.Suspend }
