#!/bin/sh
# Copies what the chart takes over from config, into the directory $1: the kinds, the
# cluster roles, the alert rules and the dashboard. Helm reads no file outside of a chart.
set -eu
cd "$(dirname "$0")/.."

files=$1
rm -rf "$files"
mkdir -p "$files/crds" "$files/rbac"
cp config/crd/bases/*.yaml "$files/crds/"
for role in config/rbac/*role.yaml; do
	# The other roles are of one namespace, and depend on values.
	if grep -q '^kind: ClusterRole$' "$role"; then cp "$role" "$files/rbac/"; fi
done
cp config/prometheus/rules.yaml config/grafana/dashboard.json "$files/"
