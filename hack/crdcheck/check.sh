#!/bin/sh
# Validates the CRDs of this checkout with the libraries of each supported minor
# version of Kubernetes: those of the <minor>.mod files, and of go.mod for the
# newest. The oldest must be the one that the chart requires.
set -eu
cd "$(dirname "$0")"
export GOFLAGS= GOWORK=off CGO_ENABLED=0
minors=$(printf '%s\n' 1.*.mod | sed 's/\.mod$//' | sort -t. -k2n)
oldest=$(echo "$minors" | head -n 1)
chart=../../charts/ssm-access-operator/Chart.yaml
grep -qF "kubeVersion: \">=$oldest.0-0\"" "$chart" || {
	echo "$chart does not require Kubernetes $oldest, the oldest version that hack/crdcheck has a file for." >&2
	exit 1
}
failed=0
for file in $(echo "$minors" | sed 's/$/.mod/') go.mod; do
	go run -modfile="$file" . ../../config/crd/bases || failed=1
done
exit $failed
