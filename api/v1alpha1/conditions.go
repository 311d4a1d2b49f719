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

	// ConditionPolicyQuota is present, and True, on an AWSAccount only while most
	// of its quota of customer managed policies is used.
	ConditionPolicyQuota = "PolicyQuota"

	// ConditionRemovalHeld is present, and True, on an AWSAccount only while a
	// resync found so many policies of ours that nobody declares that it removes
	// none of them before somebody confirms it.
	ConditionRemovalHeld = "RemovalHeld"

	// ConditionPoliciesContended is present, and True, on an AWSAccount only while
	// something else changes this operator's policies as often as they are put back. They
	// are narrowed further and not widened.
	ConditionPoliciesContended = "PoliciesContended"

	// ConditionRestored is present, and True, on an AWSAccount only during the first
	// hour after its creation, and only where IAM held policies of this installation
	// when it was verified first: the cluster was restored. What belongs to objects
	// that are not restored yet is left alone until then.
	ConditionRestored = "Restored"

	// ConditionWidened is present, and True, on a SessionAccess only while IAM
	// allows one of its principals more than the grants declare together, because
	// it cannot tie a node to a document.
	ConditionWidened = "Widened"

	// ConditionPrefixHazard is present, and True, on a SessionAccess only while a
	// user that it names may resume and end sessions of another user, whose name
	// begins with the same letters and a dash.
	ConditionPrefixHazard = "PrefixHazard"

	// ConditionLoggingReady is present on a SessionDocument that names a bucket, a
	// log group or a key. True: they are there and fit what is declared. False:
	// one of them does not, and sessions will fail or write no log. Unknown: the
	// operator could not look.
	ConditionLoggingReady = "LoggingReady"

	// ConditionPromotionPending is present, and True, on a SessionDocument only
	// while a version that holds what is declared waits for spec.defaultVersion.
	ConditionPromotionPending = "PromotionPending"

	// ConditionGrantedElsewhere is present, and True, on a SessionAccess only
	// while policies of another installation are attached to one of its principals.
	ConditionGrantedElsewhere = "GrantedElsewhere"
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
	// ReasonInUse: the object is being deleted and stays while others need it, or
	// while it owes what abandoned objects left in AWS.
	ReasonInUse = "InUse"
	// ReasonConflict: another object, an older one, declares the same thing.
	ReasonConflict = "Conflict"
)

// Reasons of the other conditions and events of an AWSAccount.
const (
	// ReasonNearQuota: 80 % of the quota of customer managed policies is used.
	ReasonNearQuota = "NearQuota"
	// ReasonTooManyRemovals: more than ten and more than a third of our policies
	// would be removed at once.
	ReasonTooManyRemovals = "TooManyRemovals"
	// ReasonPoliciesFound: IAM holds policies of this installation that are older
	// than the AWSAccount.
	ReasonPoliciesFound = "PoliciesFound"
	// ReasonOrphansRemoved: policies of ours that nobody declares were removed.
	ReasonOrphansRemoved = "OrphansRemoved"
	// ReasonDriftFound: somebody changed a policy of ours; it is put back.
	ReasonDriftFound = "DriftFound"
	// ReasonContended: a policy was changed by something else three times within an
	// hour. It is the reason of PoliciesContended, and of Ready on a SessionAccess
	// whose grant waits for that to end.
	ReasonContended = "Contended"
	// ReasonAbandoned: a SessionAccess was let go without AWS, and the account owes
	// what it left.
	ReasonAbandoned = "Abandoned"
	// ReasonOwedSettled: what an abandoned SessionAccess had left was taken away.
	ReasonOwedSettled = "OwedSettled"
)

// ReasonWriteRejected is the reason of the event of an object whose status or
// finalizer the API server does not store: it is too large, or does not fit the
// schema.
const ReasonWriteRejected = "WriteRejected"

// AnnotationConfirmRemoval on an AWSAccount holds, in quotes, the number of
// policies whose removal is confirmed.
const AnnotationConfirmRemoval = "ssm-access.dev/confirm-removal"

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
	// ReasonApplying: what is declared is being written to AWS.
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
	// ReasonRecordTooLarge: the record of what the spec asks for cannot be stored.
	// What it allows less than before is revoked; nothing is added.
	ReasonRecordTooLarge = "RecordTooLarge"
	// ReasonInvalidSpec: the spec passed the API server and still cannot be rendered.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonPrincipalNotFound: IAM has no principal of that name. The other
	// principals of the same object have their access.
	ReasonPrincipalNotFound = "PrincipalNotFound"
	// ReasonPrincipalRecreated: IAM has a principal of that name, and it is not the
	// one that was granted. It gets nothing until that is confirmed.
	ReasonPrincipalRecreated = "PrincipalRecreated"
	// ReasonPrincipalDisappeared: the principal that was granted was deleted or
	// renamed in IAM; its policies are removed and its open sessions ended. It is
	// the reason of an event.
	ReasonPrincipalDisappeared = "PrincipalDisappeared"
	// ReasonExpired: notAfter has passed and no access is left.
	ReasonExpired = "Expired"
	// ReasonNotYetValid: notBefore has not come; the policy allows nothing until then.
	ReasonNotYetValid = "NotYetValid"
	// ReasonNodeAndDocument: a node of one grant can be used with a document of
	// another.
	ReasonNodeAndDocument = "NodeAndDocument"
	// ReasonSharedPrefix: another user's name begins with this one's and a dash.
	ReasonSharedPrefix = "SharedPrefix"
	// ReasonOtherOwner: another installation's policies grant the principal too.
	ReasonOtherOwner = "OtherOwner"
	// ReasonInForce: the present moment lies between notBefore and notAfter.
	ReasonInForce = "InForce"
	// ReasonNotGranted: nothing is granted, for the reason that Ready tells.
	ReasonNotGranted = "NotGranted"
)

// Reasons of Ready on a HybridActivation.
const (
	// ReasonActivated: machines may register with the code in the Secret.
	ReasonActivated = "Activated"
	// ReasonUsedUp: every registration of the activation is used, and the spec does
	// not ask to replenish it. That is what it declares, so Ready is True.
	ReasonUsedUp = "UsedUp"
	// ReasonCreating: an activation is being made, or made anew.
	ReasonCreating = "Creating"
	// ReasonSettling: it is not certain yet what AWS made of an earlier request; the
	// operator looks again when it is.
	ReasonSettling = "Settling"
	// ReasonSecretConflict: a Secret of that name exists and is not ours. It is
	// never overwritten.
	ReasonSecretConflict = "SecretConflict"
	// ReasonSecretNotWritable: the API server does not let the operator write the
	// Secret. No activation is made whose code would be lost.
	ReasonSecretNotWritable = "SecretNotWritable"
	// ReasonRoleNotUsable: the role does not exist, or its trust policy does not let
	// Systems Manager assume it.
	ReasonRoleNotUsable = "RoleNotUsable"
	// ReasonNamespaceTerminating: the namespace is being deleted, so nothing is
	// created in it.
	ReasonNamespaceTerminating = "NamespaceTerminating"
	// ReasonWithdrawing: the object is being deleted; activations are deleted, and
	// looked for once more.
	ReasonWithdrawing = "Withdrawing"
	// ReasonDeregistering: the object is being deleted; its nodes are deregistered,
	// and looked for once more.
	ReasonDeregistering = "Deregistering"
)

// Reasons of the events about a restore.
const (
	// ReasonRestored: an object that was restored has again what an earlier object
	// of its namespace and name had in AWS.
	ReasonRestored = "Restored"
	// ReasonRegranted: AWS did not hold an access that the status says is in place,
	// and it was granted again.
	ReasonRegranted = "Regranted"
)

// Reasons of the other events of a HybridActivation.
const (
	// ReasonRotated: another activation replaced the one before, for the reason that
	// the message tells.
	ReasonRotated = "Rotated"
	// ReasonStrayRemoved: an activation whose code nobody holds was deleted.
	ReasonStrayRemoved = "StrayRemoved"
	// ReasonNodesTagged: nodes had lost the tag by which access to them is granted;
	// it was put back.
	ReasonNodesTagged = "NodesTagged"
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

// Reasons of Ready on a SessionDocument.
const (
	// ReasonInPlace: in every region the document is as declared.
	ReasonInPlace = "InPlace"
	// ReasonAdoptionNeeded: a document of that name exists, is not the operator's,
	// and adopt is not set.
	ReasonAdoptionNeeded = "AdoptionNeeded"
	// ReasonDocumentFailed: AWS could not make the document or a version of it;
	// the message holds what AWS says.
	ReasonDocumentFailed = "DocumentFailed"
	// ReasonVersionNotFound: the document has no version spec.defaultVersion.
	ReasonVersionNotFound = "VersionNotFound"
	// ReasonCleaningUp: the document is being removed, or put back to what it was.
	ReasonCleaningUp = "CleaningUp"
	// ReasonCannotRestore: the version that was the default before does not exist
	// any more.
	ReasonCannotRestore = "CannotRestore"
)

// Reasons of the other conditions of a SessionDocument.
const (
	// ReasonVersionWaits: a version waits for spec.defaultVersion.
	ReasonVersionWaits = "VersionWaits"
	// ReasonLoggingChecked: the bucket, the log groups and the keys are there.
	ReasonLoggingChecked = "LoggingChecked"
	// ReasonNotChecked: the operator may not look, or AWS did not answer.
	ReasonNotChecked = "NotChecked"
	// ReasonBucketNotFound: the bucket does not exist.
	ReasonBucketNotFound = "BucketNotFound"
	// ReasonLogGroupNotFound: the log group does not exist in a region.
	ReasonLogGroupNotFound = "LogGroupNotFound"
	// ReasonNotEncrypted: encryption is asked for, and the bucket or the log group
	// has none.
	ReasonNotEncrypted = "NotEncrypted"
	// ReasonKeyNotUsable: the key does not exist in a region, or cannot encrypt.
	ReasonKeyNotUsable = "KeyNotUsable"
)

// Conditions of a SessionAccess about what its documents and hybrid nodes need.
const (
	// ConditionTierBlocksSessions is present, and True, on a SessionAccess only
	// while it targets hybrid nodes in a region whose instances tier lets no
	// session open on them.
	ConditionTierBlocksSessions = "TierBlocksSessions"

	// ConditionDocumentMissing is present on a SessionAccess only while a document
	// that it gives by name does not exist (True), or while the operator may not
	// look (Unknown).
	ConditionDocumentMissing = "DocumentMissing"
)

// Reasons of these.
const (
	// ReasonStandardTier: the tier is Standard.
	ReasonStandardTier = "StandardTier"
	// ReasonDocumentNotFound: a document does not exist in a region of the access.
	ReasonDocumentNotFound = "DocumentNotFound"
)

// Reasons of Ready on an AccountTier.
const (
	// ReasonTierInForce: every region has the declared tier.
	ReasonTierInForce = "TierInForce"
	// ReasonTierChanging: AWS is changing the tier of a region, which takes it
	// minutes, and half an hour or more back to Standard.
	ReasonTierChanging = "TierChanging"
	// ReasonTierNeeded: the tier stays Advanced while SessionAccesses target
	// hybrid nodes.
	ReasonTierNeeded = "TierNeeded"
	// ReasonTooManyNodes: more hybrid nodes are registered than the Standard tier
	// allows.
	ReasonTooManyNodes = "TooManyNodes"
)

// ConditionTargetsReachable tells on a SessionAccess whose access is in force
// whether sessions reach its nodes, which is another thing than whether they are
// allowed. True: all are connected, and what the session documents ask for works
// on them. False: some are known not to be connected, or to be and not to do what
// the documents ask for; the reason is the commonest first thing to mend, each
// with a section in docs/troubleshooting.md, and status.targets lists nodes.
// Unknown: nothing is known to be wrong, and of some it cannot be told whether
// they are connected, or whether what the documents ask for works. Where AWS
// merely gave no answer about that, what was found before stays for some time.
const ConditionTargetsReachable = "TargetsReachable"

// Reasons of TargetsReachable besides those of checks. What is the matter has a
// section in docs/troubleshooting.md too.
const (
	// ReasonTargetsConnected: all are connected.
	ReasonTargetsConnected = "TargetsConnected"
	// ReasonNoTargets: no node carries the tags.
	ReasonNoTargets = "NoTargets"
	// ReasonNotLookedAt: the operator could not look at the account for some time.
	ReasonNotLookedAt = "NotLookedAt"
)
