package v1alpha1

// Condition types.
const (
	// ConditionReady is always present. True: AWS holds what the object declares
	// (an expired grant holds nothing, and that is what it declares). False: it
	// does not, and the message says why and what to do.
	ConditionReady = "Ready"

	// ConditionReconciling is present, and True, only while the operator works
	// towards Ready without anybody's help.
	ConditionReconciling = "Reconciling"

	// ConditionStalled is present, and True, only while Ready needs somebody's
	// help: a change of this object, of another one, or in AWS. The operator looks
	// again at every resync.
	ConditionStalled = "Stalled"

	// ConditionActive tells on a SessionAccess whether the present moment lies
	// between notBefore and notAfter of a grant that is not refused.
	ConditionActive = "Active"

	// ConditionSessionListing tells on an AWSAccount whether open sessions can be
	// listed in all its regions, which ending them needs.
	ConditionSessionListing = "SessionListing"
)

// Reasons of Ready on an AWSAccount.
const (
	// ReasonVerified: the identity was checked and the account was read.
	ReasonVerified = "Verified"
	// ReasonVerifying: the account is being checked or read for the first time.
	ReasonVerifying = "Verifying"
	// ReasonWrongAccount: the credentials belong to another account. Nothing is
	// written anywhere.
	ReasonWrongAccount = "WrongAccount"
	// ReasonCredentialsInvalid: AWS does not accept the credentials, or the role
	// cannot be assumed with them.
	ReasonCredentialsInvalid = "CredentialsInvalid"
	// ReasonConflict: another object, an older one, declares the same thing.
	ReasonConflict = "Conflict"
)

// Reasons of SessionListing on an AWSAccount.
const (
	// ReasonSessionsListed: open sessions can be listed.
	ReasonSessionsListed = "SessionsListed"
	// ReasonNeverListed: they cannot be, and never could. Revocations wait for it,
	// unless sessionTermination is BestEffort.
	ReasonNeverListed = "NeverListed"
	// ReasonListingLost: they could be listed before. Revocations wait for it.
	ReasonListingLost = "ListingLost"
)

// Reasons of Ready on a SessionAccess.
const (
	// ReasonGranted: every principal's policy holds the grant and is attached.
	ReasonGranted = "Granted"
	// ReasonApplying: policies are being written.
	ReasonApplying = "Applying"
	// ReasonRevoking: access is being taken away.
	ReasonRevoking = "Revoking"
	// ReasonEndingSessions: the permission is gone; open sessions that it covered
	// are being ended, or looked for once more.
	ReasonEndingSessions = "EndingSessions"
	// ReasonSessionsEnded: a revocation is complete, sessions included.
	ReasonSessionsEnded = "SessionsEnded"
	// ReasonSessionsNotChecked: the permission is gone, and nobody could look for
	// open sessions.
	ReasonSessionsNotChecked = "SessionsNotChecked"
	// ReasonObserved: the account is in mode Observe, so nothing was written.
	ReasonObserved = "Observed"
	// ReasonAccountNotFound: no AWSAccount has the name in accountRef.
	ReasonAccountNotFound = "AccountNotFound"
	// ReasonAccountNotReady: the AWSAccount is not verified, or not any more.
	ReasonAccountNotReady = "AccountNotReady"
	// ReasonNamespaceNotAllowed: the AWSAccount does not let this namespace use it.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonRegionNotAllowed: a region is not among the account's.
	ReasonRegionNotAllowed = "RegionNotAllowed"
	// ReasonReferenceNotResolved: an object that the spec names does not exist or
	// is not ready.
	ReasonReferenceNotResolved = "ReferenceNotResolved"
	// ReasonGuardrailViolated: a guardrail of the AWSAccount does not allow it; the
	// message names the rule.
	ReasonGuardrailViolated = "GuardrailViolated"
	// ReasonInvalidSpec: the spec passed the API server and still cannot be rendered.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonPrincipalNotFound: IAM has no principal of that name. The other
	// principals of the same object have their access.
	ReasonPrincipalNotFound = "PrincipalNotFound"
	// ReasonExpired: notAfter has passed and no access is left.
	ReasonExpired = "Expired"
	// ReasonNotYetValid: notBefore has not come; the policy allows nothing until then.
	ReasonNotYetValid = "NotYetValid"
	// ReasonInForce: the present moment lies between notBefore and notAfter.
	ReasonInForce = "InForce"
	// ReasonNotGranted: nothing is granted, for the reason that Ready tells.
	ReasonNotGranted = "NotGranted"
)

// Reasons of Ready that every kind shares: how AWS answered.
const (
	// ReasonAccessDenied: AWS refused the operator an action, which the message names.
	ReasonAccessDenied = "AccessDenied"
	// ReasonQuotaExceeded: a quota of AWS would be exceeded; the message says by
	// how much. Found before AWS is called.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonInvalid: AWS does not accept what was sent.
	ReasonInvalid = "Invalid"
	// ReasonAWSUnavailable: AWS cannot be reached or failed; it is tried again.
	ReasonAWSUnavailable = "AWSUnavailable"
)
