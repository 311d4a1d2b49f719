#!/usr/bin/env bash
# iam-floyd: a condition that is given twice keeps the last value alone.
#
# A guess: calls on a statement add up, for two toX() allow two actions and two
# onX() name two resources. So two ifAwsSourceIp() allow two networks.
# What is so: the second call for the same key and operator replaces the first,
# without an error. An array in one call is needed. And ifResourceTag() compares
# with StringLike unless an operator is given, so a tag value with * is a
# pattern there; ifAwsSourceIp() and ifAwsMultiFactorAuthPresent() choose exact
# operators.
#
# Controls: actions and resources add up; the array holds both values.
#
# Package: npm iam-floyd 0.842.0. Run on 2026-11-29 with Node.js 20.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts iam-floyd@0.842.0

cat >run.cjs <<'JS'
const { Statement } = require('iam-floyd')
console.log('iam-floyd', require('./node_modules/iam-floyd/package.json').version)
const start = () => new Statement.Ssm().allow().toStartSession()
const json = (s) => JSON.stringify(s.toJSON())
const cases = [
  ['two nodes', json(start().toResumeSession().onInstance('i-1').onInstance('i-2')),
    '{"Action":["ssm:ResumeSession","ssm:StartSession"],"Resource":["arn:aws:ec2:*:*:instance/i-1","arn:aws:ec2:*:*:instance/i-2"],"Effect":"Allow"}'],
  ['two networks, one array', json(start().ifAwsSourceIp(['192.0.2.0/24', '198.51.100.0/24'])),
    '{"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.0/24"]}},"Action":"ssm:StartSession","Resource":"*","Effect":"Allow"}'],
  ['two networks, two calls', json(start().ifAwsSourceIp('192.0.2.0/24').ifAwsSourceIp('198.51.100.0/24')),
    '{"Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}},"Action":"ssm:StartSession","Resource":"*","Effect":"Allow"}'],
  ['two tag values, two calls', json(start().ifResourceTag('Env', 'dev').ifResourceTag('Env', 'test')),
    '{"Condition":{"StringLike":{"ssm:resourceTag/Env":"test"}},"Action":"ssm:StartSession","Resource":"*","Effect":"Allow"}'],
]
let changed = false
for (const [what, got, expected] of cases) {
  console.log(`${what}: ${got}`)
  if (got !== expected) { console.error('  CHANGED, was: ' + expected); changed = true }
}
process.exit(changed ? 1 : 0)
JS
node run.cjs
