package v1alpha1

// Condition types.
const (
	// ConditionReady is always present. True: AWS holds what the object declares. An
	// expired grant declares nothing, and AWS holds nothing of it. False: AWS does
	// not hold it; the message describes the cause and what to do.
	ConditionReady = "Ready"

	// ConditionReconciling is present, and True, only while the operator reconciles the
	// object, or waits for something that comes without a change of the object, such as a
	// principal that does not exist yet. A wait of kubectl, Helm or Flux then ends at its
	// own timeout.
	ConditionReconciling = "Reconciling"

	// ConditionStalled is present, and True, only while the operator cannot make
	// progress without the action of a user: a change of this object, of another one,
	// or in AWS. The operator tries again at every resync.
	ConditionStalled = "Stalled"

	// ConditionActive on a SessionAccess reports whether the current time is between
	// notBefore and notAfter of a grant that is not refused.
	ConditionActive = "Active"

	// ConditionSessionsListable on an AWSAccount reports whether the operator can list
	// open sessions in all its regions. Without that it cannot end them.
	ConditionSessionsListable = "SessionsListable"

	// ConditionPolicyQuotaNearlyExhausted is present, and True, on an AWSAccount only
	// while 80 % or more of its quota of customer managed policies is used.
	ConditionPolicyQuotaNearlyExhausted = "PolicyQuotaNearlyExhausted"

	// ConditionOrphanCleanupBlocked is present, and True, on an AWSAccount only while
	// the operator found so many orphans that it removes none of them without the
	// confirmation of a user. An orphan is a policy that this operator owns and no
	// SessionAccess declares.
	ConditionOrphanCleanupBlocked = "OrphanCleanupBlocked"

	// ConditionPoliciesContended is present, and True, on an AWSAccount only while
	// another writer changes this operator's policies as often as the operator
	// restores them. Meanwhile the operator removes access from these policies, and
	// adds none.
	ConditionPoliciesContended = "PoliciesContended"

	// ConditionApprovalBypassed is present, and True, on an AWSAccount only while the
	// account has approval policies of just-in-time node access in a region in which
	// SessionAccesses grant access. Who has such access needs no approval.
	ConditionApprovalBypassed = "ApprovalBypassed"

	// ConditionRestored is present, and True, on an AWSAccount only during the first
	// hour after its creation, and only if IAM held policies of this installation
	// when the operator verified the account for the first time: the cluster was
	// restored. During that hour the operator does not touch what belongs to objects
	// that are not restored yet.
	ConditionRestored = "Restored"

	// ConditionEffectiveAccessBroader is present, and True, on a SessionAccess only
	// while IAM allows one of its principals more than the grants declare together,
	// because IAM cannot tie a node to a document.
	ConditionEffectiveAccessBroader = "EffectiveAccessBroader"

	// ConditionSessionPrefixOverlap is present, and True, on a SessionAccess only while
	// one user may resume and end the sessions of another user, whose name begins with
	// the name of the first and a dash, and the SessionAccess names one of the two.
	ConditionSessionPrefixOverlap = "SessionPrefixOverlap"

	// ConditionLoggingReady is present on a SessionDocument that names a bucket, a
	// log group or a key. True: they exist and fit the document. False: one of them
	// does not, and sessions will fail or write no log. Unknown: the operator could
	// not check.
	ConditionLoggingReady = "LoggingReady"

	// ConditionPromotionPending is present, and True, on a SessionDocument only while
	// a version that matches the spec waits for spec.defaultVersion.
	ConditionPromotionPending = "PromotionPending"

	// ConditionGrantedElsewhere is present, and True, on a SessionAccess only while
	// policies of another installation are attached to one of its principals.
	ConditionGrantedElsewhere = "GrantedElsewhere"
)

// Reasons of Ready on an AWSAccount.
const (
	// ReasonVerified: the operator checked its identity and read the account.
	ReasonVerified = "Verified"
	// ReasonVerifying: the operator is verifying the account, or AWS throttled it.
	ReasonVerifying = "Verifying"
	// ReasonWrongAccount: the credentials belong to another account. The operator
	// writes nothing to either.
	ReasonWrongAccount = "WrongAccount"
	// ReasonCredentialsInvalid: there are no credentials, AWS does not accept them,
	// or the role cannot be assumed with them.
	ReasonCredentialsInvalid = "CredentialsInvalid"
	// ReasonInUse: the object is being deleted and stays while SessionAccesses or
	// other objects use it, or while it has pending revocations.
	ReasonInUse = "InUse"
	// ReasonConflict: another object that takes precedence, usually an older one,
	// declares the same account, document or region; or the declared document belongs
	// to another owner or is not of type Session.
	ReasonConflict = "Conflict"
)

// Reasons of the other conditions and events of an AWSAccount.
const (
	// ReasonNearQuota: 80 % or more of the quota of customer managed policies is
	// used.
	ReasonNearQuota = "NearQuota"
	// ReasonTooManyRemovals: the operator would remove more than ten of its policies,
	// and more than a third of them, at once.
	ReasonTooManyRemovals = "TooManyRemovals"
	// ReasonApprovalPoliciesFound: the account has approval policies of just-in-time node
	// access.
	ReasonApprovalPoliciesFound = "ApprovalPoliciesFound"
	// ReasonPoliciesFound: IAM holds policies of this installation that are older
	// than the AWSAccount.
	ReasonPoliciesFound = "PoliciesFound"
	// ReasonOrphansRemoved: the operator removed policies that it owns and no
	// SessionAccess declares.
	ReasonOrphansRemoved = "OrphansRemoved"
	// ReasonDriftFound: another writer changed a policy of this operator, which the
	// operator restores.
	ReasonDriftFound = "DriftFound"
	// ReasonContended: the operator restored a policy three times within an hour,
	// because another writer changes it. It is the reason of PoliciesContended, and
	// of Ready on a SessionAccess whose grant waits until the changes stop.
	ReasonContended = "Contended"
	// ReasonDeletionForced: the deletion of a SessionAccess was forced while AWS was
	// unreachable. Its access is still in AWS, and is a pending revocation of the
	// account.
	ReasonDeletionForced = "DeletionForced"
	// ReasonPendingRevocationCompleted: the operator revoked the access that a
	// SessionAccess had left in AWS when its deletion was forced.
	ReasonPendingRevocationCompleted = "PendingRevocationCompleted"
)

// ReasonWriteRejected is the reason of the event about an object whose status or
// finalizer the API server rejects, because it is too large or does not match the
// schema.
const ReasonWriteRejected = "WriteRejected"

// AnnotationConfirmRemoval on an AWSAccount confirms the removal of orphaned
// policies. Its value is the number of policies to remove, in quotes.
const AnnotationConfirmRemoval = "ssm-access.dev/confirm-removal"

// Reasons of SessionsListable on an AWSAccount.
const (
	// ReasonSessionsListed: the operator can list open sessions.
	ReasonSessionsListed = "SessionsListed"
	// ReasonNeverListed: the operator cannot list open sessions, and never could.
	// Revocations wait, unless sessionTermination is BestEffort.
	ReasonNeverListed = "NeverListed"
	// ReasonListingLost: the operator cannot list open sessions any more. Revocations
	// wait, also with sessionTermination: BestEffort.
	ReasonListingLost = "ListingLost"
)

// Reasons of Ready on a SessionAccess.
const (
	// ReasonGranted: every principal's policy holds the grant and is attached.
	ReasonGranted = "Granted"
	// ReasonApplying: the operator is writing the desired state to AWS.
	ReasonApplying = "Applying"
	// ReasonRevoking: the operator is revoking access.
	ReasonRevoking = "Revoking"
	// ReasonEndingSessions: the permission is gone. The operator is ending the open
	// sessions that it covered, or lists them once more.
	ReasonEndingSessions = "EndingSessions"
	// ReasonSessionsEnded: a revocation is complete, including its sessions.
	ReasonSessionsEnded = "SessionsEnded"
	// ReasonSessionsNotChecked: the permission is gone, and the operator could never
	// list open sessions. The account allows that with sessionTermination:
	// BestEffort.
	ReasonSessionsNotChecked = "SessionsNotChecked"
	// ReasonObserved: the account is in mode Observe, so the operator wrote nothing.
	ReasonObserved = "Observed"
	// ReasonSuspended: spec.suspend of the object or of its AWSAccount is true, so nothing
	// is added or changed in AWS. What is not declared or allowed any more is removed.
	ReasonSuspended = "Suspended"
	// ReasonAccountNotFound: no AWSAccount has the name in accountRef.
	ReasonAccountNotFound = "AccountNotFound"
	// ReasonAccountNotReady: the AWSAccount is not verified, or no longer verified.
	ReasonAccountNotReady = "AccountNotReady"
	// ReasonNamespaceNotAllowed: the AWSAccount does not allow this namespace to use
	// it.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonRegionNotAllowed: a region is not among those of the AWSAccount.
	ReasonRegionNotAllowed = "RegionNotAllowed"
	// ReasonReferenceNotResolved: an object that the spec names does not exist, is
	// not ready, or belongs to another account.
	ReasonReferenceNotResolved = "ReferenceNotResolved"
	// ReasonGuardrailViolated: a guardrail of the AWSAccount does not allow what the
	// spec declares. The message names the guardrail.
	ReasonGuardrailViolated = "GuardrailViolated"
	// ReasonRecordTooLarge: the API server cannot store the record of what the spec
	// declares. The operator revokes what the spec no longer allows, and adds
	// nothing.
	ReasonRecordTooLarge = "RecordTooLarge"
	// ReasonInvalidSpec: the API server accepted the spec, but the operator cannot
	// render it.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonPrincipalNotFound: IAM has no principal of that name. The other
	// principals of the object have their access.
	ReasonPrincipalNotFound = "PrincipalNotFound"
	// ReasonPrincipalRecreated: IAM has another principal under the name of the one
	// that was granted. It gets no access until a user confirms it in the
	// SessionAccess.
	ReasonPrincipalRecreated = "PrincipalRecreated"
	// ReasonPrincipalDisappeared is the reason of an event: the principal that was
	// granted was deleted or renamed in IAM. The operator removes its policies and
	// ends its open sessions.
	ReasonPrincipalDisappeared = "PrincipalDisappeared"
	// ReasonExpired: notAfter has passed. On Ready it also means that no access is
	// left in AWS.
	ReasonExpired = "Expired"
	// ReasonNotYetValid: notBefore is in the future. The policy allows nothing until
	// then.
	ReasonNotYetValid = "NotYetValid"
	// ReasonNodeAndDocument: IAM allows a node of one grant with a document of
	// another.
	ReasonNodeAndDocument = "NodeAndDocument"
	// ReasonSharedPrefix: the name of one user begins with the name of another user
	// and a dash.
	ReasonSharedPrefix = "SharedPrefix"
	// ReasonOtherOwner: policies of another installation grant access to the
	// principal too.
	ReasonOtherOwner = "OtherOwner"
	// ReasonInForce: the current time is between notBefore and notAfter.
	ReasonInForce = "InForce"
	// ReasonNotGranted: nothing is granted, and Ready reports why; or the object is
	// being deleted.
	ReasonNotGranted = "NotGranted"
)

// Reasons of Ready on a HybridActivation.
const (
	// ReasonActivated: machines may register with the code in the Secret.
	ReasonActivated = "Activated"
	// ReasonUsedUp: all registrations of the activation are used, and the operator
	// creates no further activation, because spec.replenish is not set or a guardrail
	// allows no more machines. Ready is True.
	ReasonUsedUp = "UsedUp"
	// ReasonCreating: the operator is creating an activation, the first or a
	// replacement.
	ReasonCreating = "Creating"
	// ReasonSettling: AWS gave no answer to an earlier request, or does not certainly
	// show its result yet. The operator checks again when it does.
	ReasonSettling = "Settling"
	// ReasonTaggingNodes: nodes lack a tag by which access to them is granted, more of
	// them than one reconcile tags. The operator tags them in turn.
	ReasonTaggingNodes = "TaggingNodes"
	// ReasonSecretConflict: a Secret of that name exists and does not belong to the
	// object. The operator never overwrites it.
	ReasonSecretConflict = "SecretConflict"
	// ReasonSecretNotWritable: the API server rejects the Secret. The operator keeps
	// no activation whose code would be lost.
	ReasonSecretNotWritable = "SecretNotWritable"
	// ReasonRoleNotUsable: the role does not exist, or its trust policy does not let
	// Systems Manager assume it.
	ReasonRoleNotUsable = "RoleNotUsable"
	// ReasonNamespaceTerminating: the namespace is being deleted, so the operator
	// cannot create anything in it.
	ReasonNamespaceTerminating = "NamespaceTerminating"
	// ReasonWithdrawing: the object is being deleted. The operator deletes its
	// activations, and lists them once more.
	ReasonWithdrawing = "Withdrawing"
	// ReasonDeregistering: the object is being deleted. The operator deregisters its
	// nodes, and lists them once more.
	ReasonDeregistering = "Deregistering"
)

// Reasons of the events about a restore.
const (
	// ReasonRestored: an object that was restored from a backup owns again what the
	// earlier object of the same namespace and name had in AWS.
	ReasonRestored = "Restored"
	// ReasonRegranted: AWS did not hold an access that the status reports as granted,
	// and the operator granted it again.
	ReasonRegranted = "Regranted"
)

// Reasons of the other events of a HybridActivation.
const (
	// ReasonRotated: a new activation replaced the former one. The message names the
	// cause.
	ReasonRotated = "Rotated"
	// ReasonStrayRemoved: the operator deleted an activation whose code no Secret
	// holds.
	ReasonStrayRemoved = "StrayRemoved"
	// ReasonNodesTagged: nodes had lost the tag by which policies allow sessions on
	// them, and the operator restored it.
	ReasonNodesTagged = "NodesTagged"
)

// Reasons of Ready that all kinds share. They describe the answer of AWS.
const (
	// ReasonAccessDenied: AWS refused an action to the operator. The message names
	// the action.
	ReasonAccessDenied = "AccessDenied"
	// ReasonQuotaExceeded: the change would exceed a quota of AWS. The message
	// reports by how much. The operator finds it out before it calls AWS.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonInvalid: AWS rejects what the operator sent.
	ReasonInvalid = "Invalid"
	// ReasonAWSUnavailable: AWS cannot be reached, or failed. The operator retries.
	ReasonAWSUnavailable = "AWSUnavailable"
)

// Reasons of Ready on a SessionDocument.
const (
	// ReasonInPlace: the document matches the spec in every region.
	ReasonInPlace = "InPlace"
	// ReasonAdoptionNeeded: a document of that name exists, does not belong to the
	// operator, and spec.adopt is not set.
	ReasonAdoptionNeeded = "AdoptionNeeded"
	// ReasonSettingsLost: adopting the document would turn off preferences that the spec
	// does not mention. Nothing is changed until it does.
	ReasonSettingsLost = "SettingsLost"
	// ReasonDocumentFailed: AWS could not create the document or a version of it. The
	// message holds the answer of AWS.
	ReasonDocumentFailed = "DocumentFailed"
	// ReasonShareFailed: AWS RAM could not share the document with an organization. The
	// message holds the answer of AWS.
	ReasonShareFailed = "ShareFailed"
	// ReasonVersionNotFound: the document does not have the version in
	// spec.defaultVersion.
	ReasonVersionNotFound = "VersionNotFound"
	// ReasonCleaningUp: the operator is removing the document, or restoring its
	// former state.
	ReasonCleaningUp = "CleaningUp"
	// ReasonCannotRestore: the former default version does not exist any more.
	ReasonCannotRestore = "CannotRestore"
)

// Reasons of the other conditions of a SessionDocument.
const (
	// ReasonVersionWaits: a version waits for spec.defaultVersion.
	ReasonVersionWaits = "VersionWaits"
	// ReasonLoggingChecked: the bucket, the log groups and the keys exist and fit the
	// document.
	ReasonLoggingChecked = "LoggingChecked"
	// ReasonNotChecked: the operator lacks permission to check, or AWS did not
	// answer.
	ReasonNotChecked = "NotChecked"
	// ReasonBucketNotFound: the bucket does not exist.
	ReasonBucketNotFound = "BucketNotFound"
	// ReasonLogGroupNotFound: the log group does not exist in a region of the
	// document.
	ReasonLogGroupNotFound = "LogGroupNotFound"
	// ReasonNotEncrypted: the document requires encryption, and the bucket or the log
	// group is not encrypted.
	ReasonNotEncrypted = "NotEncrypted"
	// ReasonKeyNotUsable: the KMS key does not exist in a region, or cannot encrypt.
	ReasonKeyNotUsable = "KeyNotUsable"
)

// Conditions of a SessionAccess about its hybrid nodes and its documents.
const (
	// ConditionTierBlocksSessions is present, and True, on a SessionAccess only while
	// it targets hybrid nodes in a region whose instances tier allows no sessions on
	// them.
	ConditionTierBlocksSessions = "TierBlocksSessions"

	// ConditionDocumentMissing is present on a SessionAccess only while a document
	// that it gives by name does not exist (True), or while the operator lacks
	// permission to check (Unknown).
	ConditionDocumentMissing = "DocumentMissing"
	// ConditionSessionKeyNotGranted is present on a SessionAccess only while a document
	// that it gives by name encrypts sessions with a key that is not granted: the
	// namespace is not allowed to name that key, or the key was not found.
	ConditionSessionKeyNotGranted = "SessionKeyNotGranted"
)

// Reasons of SessionKeyNotGranted.
const (
	// ReasonKeyNeeded: sessions need the use of a key.
	ReasonKeyNeeded = "KeyNeeded"
)

// Reasons of TierBlocksSessions and DocumentMissing.
const (
	// ReasonStandardTier: the instances tier of the region is Standard.
	ReasonStandardTier = "StandardTier"
	// ReasonDocumentNotFound: a document does not exist in a region of the access.
	ReasonDocumentNotFound = "DocumentNotFound"
)

// Reasons of Ready on an AccountTier.
const (
	// ReasonTierInForce: every region has the declared tier.
	ReasonTierInForce = "TierInForce"
	// ReasonTierChanging: AWS is changing the tier of a region, or another
	// AccountTier takes over. A change to Advanced takes AWS minutes, a change to
	// Standard half an hour or more.
	ReasonTierChanging = "TierChanging"
	// ReasonTierNeeded: the tier stays Advanced while SessionAccesses target hybrid
	// nodes.
	ReasonTierNeeded = "TierNeeded"
	// ReasonTooManyNodes: more hybrid nodes are registered than the Standard tier
	// allows.
	ReasonTooManyNodes = "TooManyNodes"
)
