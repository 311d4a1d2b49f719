package objectcache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxEssential bounds the value of an annotation that is kept, in bytes: those
// that the operator reads are short.
const maxEssential = 64

// trimMetadata drops what no code reads of the metadata of a tenant's object. A
// patch of the operator names what it changes, so none of it is lost.
func trimMetadata(obj client.Object, annotations ...string) {
	labels := bytesOf(obj.GetLabels())
	trimCommon(obj, annotations...)
	if labels > 0 {
		obj.SetLabels(nil)
		noteDropped(obj, labels)
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
	all := obj.GetAnnotations()
	if kept := essential(all, annotations...); !maps.Equal(kept, all) {
		obj.SetAnnotations(kept)
		noteDropped(obj, bytesOf(all)-bytesOf(kept))
	}
}

func bytesOf(texts map[string]string) int {
	n := 0
	for key, value := range texts {
		n += len(`"":"",`) + len(key) + len(value) // As JSON.
	}
	return n
}

// noteDropped keeps how much of an object's metadata the cache has not, where that
// is a KiB or more: what can be stored in the object depends on it.
func noteDropped(obj client.Object, bytes int) {
	if bytes += Dropped(obj); bytes < 1<<10 {
		return
	}
	annotations := maps.Clone(obj.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[dropped] = token + strconv.Itoa(bytes)
	obj.SetAnnotations(annotations)
}

// Dropped returns how many bytes of an object's labels and annotations the cache
// has not kept. Less than a KiB counts as none.
func Dropped(obj client.Object) int {
	text, ok := strings.CutPrefix(obj.GetAnnotations()[dropped], token)
	bytes, err := strconv.Atoi(text)
	if !ok || err != nil {
		return 0
	}
	return bytes
}

// essential keeps the annotations that the operator reads, and a digest of the
// others: a change of any makes an object be reconciled.
func essential(annotations map[string]string, read ...string) map[string]string {
	kept := map[string]string{}
	rest := map[string]string{}
	for key, value := range annotations {
		switch {
		case (key == others || key == dropped) && strings.HasPrefix(value, token), slices.Contains(read, key) && len(value) <= maxEssential:
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
