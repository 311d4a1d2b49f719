package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WriteStatus writes the status of after where it differs from that of before. A status
// that another client wrote meanwhile is a conflict, which the caller returns: the next
// reconcile starts from the newer object. An object that is gone has no status to write.
func WriteStatus(ctx context.Context, c client.Client, before, after client.Object) (written bool, err error) {
	written, err = writeStatus(ctx, c, before, after)
	return written, client.IgnoreNotFound(err)
}

// writeStatus is WriteStatus, for which an object that is gone is an error.
func writeStatus(ctx context.Context, c client.Client, before, after client.Object) (written bool, err error) {
	if equality.Semantic.DeepEqual(statusOf(before), statusOf(after)) {
		return false, nil
	}
	patch, err := statusPatch(before.GetResourceVersion(), statusOf(after))
	if err == nil {
		err = patchObject(ctx, c, c.Status(), after, patch)
	}
	if apierrors.IsConflict(err) && writeTouched(ctx, c, before, after) == nil {
		err = nil
	}
	if err != nil {
		return false, fmt.Errorf("write the status of %s: %w", client.ObjectKeyFromObject(after), err)
	}
	return true, nil
}

// writeTouched writes a status to an object that is being deleted, or whose metadata alone
// have changed since it was read. Otherwise a tenant that changes an annotation faster than
// a reconcile asks AWS would keep every status from being written, and a session is ended
// only once its id is in the status. after keeps its version, so that any other write of
// this reconcile conflicts: it has not seen the change.
func writeTouched(ctx context.Context, c client.Client, before, after client.Object) error {
	operations := []operation{
		{"test", "/metadata/uid", before.GetUID()},
		{"test", "/status", statusOf(before)},
		{"replace", "/status", statusOf(after)},
	}
	if before.GetDeletionTimestamp().IsZero() {
		operations = slices.Insert(operations, 1, operation{"test", "/metadata/generation", before.GetGeneration()})
	}
	data, err := json.Marshal(operations)
	if err != nil {
		return fmt.Errorf("write the patch: %w", err)
	}
	read := after.GetResourceVersion()
	err = patchObject(ctx, c, c.Status(), after, client.RawPatch(types.JSONPatchType, data))
	after.SetResourceVersion(read)
	return err
}

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// statusPatch replaces the status of an object of a version as a whole: finding
// out what differs costs more than sending it. What sets another version than
// there is conflicts.
func statusPatch(version string, status any) (client.Patch, error) {
	data, err := json.Marshal([]operation{
		{"replace", "/metadata/resourceVersion", version},
		{"add", "/status", status},
	})
	return client.RawPatch(types.JSONPatchType, data), err
}
