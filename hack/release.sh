#!/bin/sh
# Makes in the directory $OUT everything that a release of version $RELEASE consists of:
#   images/     OCI layouts, for the upload
#   assets/     binaries, chart, manifests, bills of materials, and their checksums
#   notes.md    the version's section of the changelog
#   references  the images and the chart as they are signed: by digest
# It uploads and signs nothing.
set -eu
cd "$(dirname "$0")/.."

: "${RELEASE:?}" "${OUT:?}" "${IMAGE_TOOL:?}" "${HELM:?}" "${KUSTOMIZE:?}" "${REGISTRY:?}" "${PLATFORMS:?}" "${CREATED:?}"
chart=charts/ssm-access-operator
fail() { echo "release: $*" >&2; exit 1; }

# One version, everywhere.
[ -z "${TAG:-}" ] || [ "$TAG" = "v$RELEASE" ] || fail "the tag is $TAG, and $chart/Chart.yaml says $RELEASE"
grep -qx "version: $RELEASE" $chart/Chart.yaml || fail "version and appVersion differ in $chart/Chart.yaml"
for file in config/default/kustomization.yaml config/try/kustomization.yaml; do
	grep -qx "  newTag: $RELEASE" $file || fail "$file names another version than $RELEASE"
done

rm -rf "$OUT"
mkdir -p "$OUT/assets" "$OUT/images"
awk -v heading="## [$RELEASE]" 'index($0, "## [") == 1 || /^\[.*\]: / { in_section = index($0, heading) == 1; next } in_section' CHANGELOG.md >"$OUT/notes.md"
grep -q '[^[:space:]]' "$OUT/notes.md" || fail "CHANGELOG.md has no section of version $RELEASE"

image() { # of command $1 as $2; prints its digest
	"$IMAGE_TOOL" --command "$1" --name "$REGISTRY/$2" --version "$RELEASE" --created "$CREATED" --platforms "$PLATFORMS" \
		--revision "$(git rev-parse HEAD 2>/dev/null || true)" --output "$OUT/images/$1" --binaries "$OUT/assets"
}
manager=$(image manager ssm-access-operator)
emulator=$(image aws-emulator aws-emulator)
mv "$OUT"/images/*.spdx.json "$OUT/assets/"
printf '%s\n' "$REGISTRY/ssm-access-operator@$manager" "$REGISTRY/aws-emulator@$emulator" >"$OUT/references"

# The plugin runs on the machines of people, and is in no image.
for platform in $(echo "${PLUGIN_PLATFORMS:-$PLATFORMS}" | tr , ' '); do
	GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" \
		-o "$OUT/assets/kubectl-ssm_access-${platform%/*}-${platform#*/}" ./cmd/kubectl-ssm_access
done

# What is published names the images by their digests.
manifests() { # of directory $1
	"$KUSTOMIZE" build "$1" | sed \
		-e "s,image: $REGISTRY/ssm-access-operator:$RELEASE\$,&@$manager," \
		-e "s,image: $REGISTRY/aws-emulator:$RELEASE\$,&@$emulator,"
}
manifests config/default >"$OUT/assets/install.yaml"
manifests config/try >"$OUT/assets/try.yaml"
for file in install try; do
	! grep 'image: ' "$OUT/assets/$file.yaml" | grep -v '@sha256:' || fail "$file.yaml has an image without a digest"
done
cp config/argocd/argocd-cm.yaml config/iam/cloudformation.json "$OUT/assets/"
"$HELM" package $chart --destination "$OUT/assets" >/dev/null

(cd "$OUT/assets" && sha256sum -- * >SHA256SUMS)
ls "$OUT/assets"
