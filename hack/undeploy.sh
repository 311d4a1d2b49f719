#!/bin/sh
# Removes the operator from the current cluster in the order in which no access
# is left behind: first the objects, whose finalizers the running manager clears
# once AWS holds nothing of them any more, then the manager and the CRDs. The
# accounts go last of the objects, since the others are revoked through them.
set -eu
cd "$(dirname "$0")/.."

: "${KUBECTL:=kubectl}" "${TIMEOUT:=10m}"
group=ssm-access.dev
accounts=awsaccounts.$group

give_up() {
	cat >&2 <<-EOF
	Some objects are still there after $TIMEOUT; nothing else was removed. The manager has
	to run and to reach AWS for them to go. Find out what each one waits for with
	  $KUBECTL get $1 --all-namespaces
	  $KUBECTL describe $1 --all-namespaces
	and run "make undeploy" again.
	EOF
	exit 1
}

delete_all() { # of the kinds $1, comma-separated
	$KUBECTL delete "$1" --all --all-namespaces --ignore-not-found --wait --timeout="$TIMEOUT" || give_up "$1"
}

served=$($KUBECTL get crd -o name | sed -n "s,.*/\(.*\.$group\)\$,\1,p")
others=$(echo "$served" | grep -vx "$accounts" | paste -sd, -) || true
if [ -n "$others" ]; then delete_all "$others"; fi
if echo "$served" | grep -qx "$accounts"; then delete_all "$accounts"; fi

$KUBECTL delete -k config/default --ignore-not-found
