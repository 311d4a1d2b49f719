package v1alpha1

// ConditionEffective is present, and False, on a SessionAccess only while IAM denies one
// of its principals the sessions that it grants, because another policy does: a service
// control policy, the permissions boundary, or an explicit Deny. The operator asks IAM's
// policy simulator after a change and once an hour, and only with the permission to do so.
// Ready does not depend on it: the policies are in place.
const ConditionEffective = "Effective"

// Reasons of Effective.
const (
	// ReasonDeniedByOrganization: a service control policy does not allow it.
	ReasonDeniedByOrganization = "DeniedByOrganization"
	// ReasonDeniedByBoundary: the permissions boundary of the principal does not allow it.
	ReasonDeniedByBoundary = "DeniedByBoundary"
	// ReasonDeniedByPolicy: a statement of another policy of the principal denies it.
	ReasonDeniedByPolicy = "DeniedByPolicy"
)

// ConditionTargetsReachable reports, on a SessionAccess whose access is active,
// whether sessions reach its nodes. Ready does not depend on it. True: all nodes are
// connected, and what the session documents require works on them. False: some nodes
// are known not to be connected, or are connected and do not do what the documents
// require. The reason is the most common first problem, which has a section in
// docs/troubleshooting.md, and status.targets lists the nodes. Unknown: no problem
// is known, but for some nodes the operator does not know whether they are
// connected, or whether what the documents require works. If AWS merely gave no
// answer, the former result stays for some time.
const ConditionTargetsReachable = "TargetsReachable"

// Reasons of TargetsReachable that do not come from a single check. Those that
// report a problem also have a section in docs/troubleshooting.md.
const (
	// ReasonTargetsConnected: all nodes are connected, and what their documents
	// require works.
	ReasonTargetsConnected = "TargetsConnected"
	// ReasonNoTargets: no node carries the tags.
	ReasonNoTargets = "NoTargets"
	// ReasonNotLookedAt: the operator could not check the nodes for three resyncs.
	ReasonNotLookedAt = "NotLookedAt"
)
