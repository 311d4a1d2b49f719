#!/bin/sh
# Uploads the images and the chart that hack/release.sh has made in $OUT, and adds the chart
# to $OUT/references. The workflow's later steps get the images' digests.
set -eu
cd "$(dirname "$0")/.."

: "${RELEASE:?}" "${OUT:?}" "${IMAGE_TOOL:?}" "${HELM:?}" "${REGISTRY:?}"
image() { # of layout $1 as $2, for the workflow's output $3
	digest=$("$IMAGE_TOOL" --output "$OUT/images/$1" --name "$REGISTRY/$2" --version "$RELEASE" --upload)
	grep -qx "$REGISTRY/$2@$digest" "$OUT/references"
	[ -z "${GITHUB_OUTPUT:-}" ] || echo "$3=$digest" >>"$GITHUB_OUTPUT"
}
image manager ssm-access-operator manager
image aws-emulator aws-emulator emulator
digest=$("$HELM" push "$OUT/assets/ssm-access-operator-$RELEASE.tgz" "oci://$REGISTRY/charts" 2>&1 | sed -n 's/^Digest: //p')
[ -n "$digest" ] || { echo 'release: Helm did not say which digest the chart has.' >&2; exit 1; }
echo "$REGISTRY/charts/ssm-access-operator@$digest" >>"$OUT/references"
