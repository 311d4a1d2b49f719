package stub

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxEssential bounds the value of an annotation that is kept, in bytes: those
// that the operator reads are short.
const maxEssential = 64

// trimMetadata drops what no code reads of the metadata of a tenant's object. A
// patch of the operator names what it changes, so none of it is lost.
func trimMetadata(obj client.Object, annotations ...string) {
	trimCommon(obj, annotations...)
	if len(obj.GetLabels()) > 0 {
		obj.SetLabels(nil)
	}
	if len(obj.GetOwnerReferences()) > 0 {
		obj.SetOwnerReferences(nil)
	}
	if obj.GetGenerateName() != "" {
		obj.SetGenerateName("")
	}
}

// trimCommon drops what no code reads of any object.
func trimCommon(obj client.Object, annotations ...string) {
	if obj.GetManagedFields() != nil {
		obj.SetManagedFields(nil)
	}
	if kept := essential(obj.GetAnnotations(), annotations...); !maps.Equal(kept, obj.GetAnnotations()) {
		obj.SetAnnotations(kept)
	}
}

// essential keeps the annotations that the operator reads, and a digest of the
// others: a change of any makes an object be reconciled.
func essential(annotations map[string]string, read ...string) map[string]string {
	kept := map[string]string{}
	rest := map[string]string{}
	for key, value := range annotations {
		switch {
		case key == others && strings.HasPrefix(value, token), slices.Contains(read, key) && len(value) <= maxEssential:
			kept[key] = value
		default:
			rest[key] = value
		}
	}
	if len(rest) > 0 {
		kept[others] = token + digest(rest)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func digest(annotations map[string]string) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		_, _ = fmt.Fprintf(h, "%q%q", key, annotations[key]) // A hash takes everything.
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
