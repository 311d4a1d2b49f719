// Package awsemulator is AWS over the wire, as far as the operator goes: IAM,
// STS, Session Manager and what it needs of EC2, KMS, CloudWatch Logs and S3,
// for several accounts and regions in one process. It is an http.Handler that
// the AWS SDKs and the CLI call unchanged.
//
// It imports nothing else of this module, so that it cannot share a
// misunderstanding with what it tests.
//
// # Control endpoint
//
// The endpoints below /_emulator/ query and change the emulator itself, in
// JSON. Durations are written like "30s". The answer to an invalid request is
// status 400 and {"error": "…"}.
//
//	GET    health                     whether it is ready, its time and accounts
//	GET    operations                 what it can do, as "service:Operation"
//	GET    calls                      calls counted by action and error code
//	GET    calls/log?since=N          the calls after number N, oldest first
//	POST   calls/reset                forget them
//	GET    faults                     the active faults, and how often each was injected
//	POST   faults                     add one: faults.Fault
//	DELETE faults/{id}                remove one, release its calls; without id, all
//	GET    settings                   delays, evaluation, short pages, how long the tier takes
//	POST   settings                   set those that are given
//	POST   clock/advance              {"by": "1h"}
//	POST   may                        what may a principal do: Question, answered by Answer
//	POST   accounts                   add an account: fixtures.Account
//	GET    accounts/{id}/iam          users, groups, roles and policies: iam.Export
//	POST   accounts/{id}/quotas       {"PoliciesQuota": 20}
//	POST   accounts/{id}/settings     {"evaluateIAM": true}
//
// and below accounts/{id}/regions/{region}/
//
//	GET    nodes                      machines and whether they are online
//	POST   nodes                      add machines, networks, keys and log groups: fixtures.Region
//	PATCH  nodes/{node}               {"online": false}, "connected", "state", "tags"
//	GET    network/causes             what can be broken of the stack of a machine, and its effect: stack.Cause
//	GET    network/broken             what is broken: stack.Broken
//	POST   network/broken             {"node": "i-…", "cause": "group-without-egress"} breaks one thing
//	DELETE network/broken             repairs all, or with ?node=…&cause=… only that
//	GET    sessions                   all sessions, ended ones too
//	POST   sessions                   {"principal": ARN, "target": "i-…", "document": "…"} opens one unasked
//	DELETE sessions/{session}         ends one
//	POST   sessions/{session}/cut     cuts its client's connection; the session continues
//	POST   register                   {"activationId", "activationCode", "name"}: a machine registers, {"instanceId": "mi-…"}
//	GET    activations                activations, without their codes
//	GET    documents                  documents with all versions, tags and shares
//	POST   documents/next             {"takes": "30s", "fails": "information"}: how the next making of a
//	                                  document or version proceeds, with "deletes" the next deletion
//	GET    tier                       the current activation tier, and the setting's status
//	POST   tier                       {"tier": "advanced"} at once
//	POST   limits                     {"documents", "documentVersions", "documentShares", "standardNodes": 1000}
package awsemulator
