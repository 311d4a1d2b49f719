package invariants

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Search notes it when a text holds the code of any activation that there has
// been. where says what the text is.
func (o *Observer) Search(where, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.searched++
	for code := range o.codes {
		if strings.Contains(text, code) {
			o.violated("%s holds the code of an activation", where)
		}
	}
}

// log is what managers log to. It is searched, at the most that --log-level
// allows, and kept nowhere.
func (h *Harness) log() logr.Logger {
	return funcr.New(func(_, line string) { h.Observer.Search("the log", line) }, funcr.Options{Verbosity: 1})
}

// searchCluster searches all existing events, Secrets and ConfigMaps at rest.
// Only the Secrets of HybridActivations may hold codes.
func (h *Harness) searchCluster(ctx context.Context) error {
	own := h.secretsOfActivations()
	for _, list := range []client.ObjectList{&eventsv1.EventList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}} {
		if err := h.watcher.client.List(ctx, list); err != nil {
			return fmt.Errorf("list %T: %w", list, err)
		}
		if err := meta.EachListItem(list, func(item runtime.Object) error {
			return h.searchObject(item, own)
		}); err != nil {
			return err
		}
	}
	return nil
}

// secretsOfActivations are those that the existing HybridActivations name.
func (h *Harness) secretsOfActivations() map[client.ObjectKey]bool {
	own := map[client.ObjectKey]bool{}
	objects, _ := h.watcher.look()
	for _, u := range objects {
		if u.GetKind() != "HybridActivation" {
			continue
		}
		key := client.ObjectKeyFromObject(u)
		if name := text(u, "secretName"); name != "" {
			key.Name = name
		}
		own[key] = true
	}
	return own
}

// searchObject searches an object, and what a Secret holds as it is before it is
// encoded. own are the Secrets that are passed over.
func (h *Harness) searchObject(item runtime.Object, own map[client.ObjectKey]bool) error {
	obj := item.(client.Object) // All that is listed has a name.
	where := fmt.Sprintf("%T %s", obj, client.ObjectKeyFromObject(obj))
	text, err := json.Marshal(obj)
	if err != nil {
		return fmt.Errorf("read %s: %w", where, err)
	}
	secret, ok := obj.(*corev1.Secret)
	if ok && own[client.ObjectKeyFromObject(secret)] {
		return nil
	}
	h.Observer.Search(where, string(text))
	if ok {
		for key, value := range secret.Data {
			h.Observer.Search(where+" under "+key, string(value))
		}
	}
	return nil
}

// Stored is what the Secret of a HybridActivation holds.
func (h *Harness) Stored(ctx context.Context, key client.ObjectKey) (Code, error) {
	var secret corev1.Secret
	if err := h.watcher.client.Get(ctx, key, &secret); err != nil {
		return Code{}, client.IgnoreNotFound(err)
	}
	return Code{ID: string(secret.Data[v1alpha1.SecretKeyID]), Code: string(secret.Data[v1alpha1.SecretKeyCode])}, nil
}

// stored is what the Secrets of all HybridActivations hold that were declared.
func (h *Harness) stored(ctx context.Context) (map[string]Code, error) {
	all := map[string]Code{}
	for description, key := range h.secrets {
		code, err := h.Stored(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read Secret %s: %w", key, err)
		}
		all[description] = code
	}
	return all, nil
}

// Code is what the Secret of the HybridActivation with a description holds.
func (h *Harness) Code(ctx context.Context, description string) (Code, error) {
	return h.Stored(ctx, h.secrets[description])
}
