package testenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Vanish takes an object out of etcd, whatever finalizers it has. The API server
// does the same to one that is deleted while it gets its first finalizer.
func (c *Cluster) Vanish(ctx context.Context, obj client.Object) error {
	gvk, err := c.Client.GroupVersionKindFor(obj)
	if err != nil {
		return fmt.Errorf("find the kind of %T: %w", obj, err)
	}
	mapping, err := c.Client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return fmt.Errorf("find the resource of %s: %w", gvk.Kind, err)
	}
	key := path.Join("/registry", gvk.Group, mapping.Resource.Resource, obj.GetNamespace(), obj.GetName())
	body, err := json.Marshal(map[string][]byte{"key": []byte(key)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.etcdURL+"/v3/kv/deleterange", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("delete %s from etcd: %w", key, err)
	}
	defer func() { _ = answer.Body.Close() }()
	var deleted struct {
		Deleted string `json:"deleted"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&deleted); err != nil {
		return fmt.Errorf("read what etcd says of deleting %s: %w", key, err)
	}
	if deleted.Deleted != "1" {
		return fmt.Errorf("delete %s from etcd: it holds no such key, and answers %s", key, answer.Status)
	}
	return nil
}
