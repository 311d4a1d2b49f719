package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tier is the instances tier of hybrid nodes. Session Manager reaches them under
// Advanced only, which AWS charges by the node and hour.
//
// +kubebuilder:validation:Enum=Standard;Advanced
type Tier string

const (
	// TierStandard costs nothing, allows 1,000 hybrid nodes in an account and
	// region, and opens no sessions on them.
	TierStandard Tier = "Standard"
	// TierAdvanced opens sessions on hybrid nodes, and is charged for all of them.
	TierAdvanced Tier = "Advanced"
)

// TierOnDelete says what happens to the tier when an AccountTier goes.
//
// +kubebuilder:validation:Enum=Restore;Keep
type TierOnDelete string

const (
	// TierRestore puts back the tier that was there before.
	TierRestore TierOnDelete = "Restore"
	// TierKeep leaves the tier as it is.
	TierKeep TierOnDelete = "Keep"
)

// AccountTierSpec declares the instances tier of an account's hybrid nodes.
type AccountTierSpec struct {
	// accountRef names the AWSAccount. It cannot change: what was there before
	// could not be put back in another account.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another AccountTier for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// regions whose tier is declared; the account's when left out, and among them
	// when given. A region that is removed is treated as onDelete says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// tier is Standard or Advanced.
	// +required
	Tier Tier `json:"tier,omitempty"`

	// onDelete Restore puts back the tier that was there before; Keep leaves it.
	// +optional
	// +kubebuilder:default=Restore
	OnDelete TierOnDelete `json:"onDelete,omitempty"`

	// price that the estimated cost is computed from.
	// +optional
	// +kubebuilder:default={perNodeHour: "0.00695"}
	Price TierPrice `json:"price,omitzero"`
}

// TierPrice is what AWS charges for the Advanced tier.
type TierPrice struct {
	// perNodeHour is the price in USD of one hybrid node for one hour under the
	// Advanced tier, as a decimal number in quotes. AWS's list price is 0.00695.
	// +optional
	// +kubebuilder:default="0.00695"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^(0|[1-9][0-9]{0,3})([.][0-9]{1,8})?$')",message="perNodeHour is a price in USD with at most four digits before the point and eight after it, in quotes, for example \"0.00695\""
	PerNodeHour string `json:"perNodeHour,omitempty"`
}

// AccountTierStatus is what the operator knows of an account's tiers.
type AccountTierStatus struct {
	// observedGeneration is the generation of the spec that the conditions judge.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the tier: Ready, and Reconciling or Stalled while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// hybridNodes registered in all the regions.
	// +optional
	// +kubebuilder:validation:Minimum=0
	HybridNodes *int32 `json:"hybridNodes,omitempty"`

	// usdPerMonth is the estimated cost in all the regions, of 30 days.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	USDPerMonth string `json:"usdPerMonth,omitempty"`

	// regions by name. One that the spec no longer names stays until its tier is
	// as onDelete says.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=80
	Regions []RegionTier `json:"regions,omitempty"`
}

// RegionTier is the tier of one region.
type RegionTier struct {
	// region that it holds for.
	// +required
	Region Region `json:"region,omitempty"`

	// tier in force. While a change is pending, the one before it as far as it
	// was known.
	// +optional
	Tier Tier `json:"tier,omitempty"`

	// changingTo is the tier that AWS was told to change to and has not yet.
	// +optional
	ChangingTo Tier `json:"changingTo,omitempty"`

	// pendingSince is when that change was sent, or seen first.
	// +optional
	PendingSince *metav1.Time `json:"pendingSince,omitempty"`

	// hybridNodes registered in the region.
	// +optional
	// +kubebuilder:validation:Minimum=0
	HybridNodes *int32 `json:"hybridNodes,omitempty"`

	// estimatedCost of the hybrid nodes under the tier in force.
	// +optional
	EstimatedCost *EstimatedCost `json:"estimatedCost,omitempty"`

	// before is what the region had before the operator changed it. It is
	// recorded before the first write, and what onDelete: Restore puts back.
	// +optional
	Before *TierBefore `json:"before,omitempty"`
}

// EstimatedCost is computed from the number of nodes and spec.price, exactly.
type EstimatedCost struct {
	// usdPerHour in USD.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	USDPerHour string `json:"usdPerHour,omitempty"`

	// usdPerMonth in USD, of 30 days.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	USDPerMonth string `json:"usdPerMonth,omitempty"`
}

// TierBefore is a tier as somebody else left it.
type TierBefore struct {
	// tier that was in force.
	// +required
	Tier Tier `json:"tier,omitempty"`

	// customized says that somebody had set it. Otherwise it was AWS's default,
	// which is put back by a reset.
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
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="REASON",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
type AccountTier struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the tier.
	// +required
	Spec AccountTierSpec `json:"spec,omitzero"`

	// status is what the operator knows of it.
	// +optional
	Status AccountTierStatus `json:"status,omitzero"`
}

// AccountName is the AWSAccount that the object names.
func (t *AccountTier) AccountName() string { return t.Spec.AccountRef.Name }

// AccountTierList is a list of AccountTiers.
//
// +kubebuilder:object:root=true
type AccountTierList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AccountTier `json:"items"`
}
