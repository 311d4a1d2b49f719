package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
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
func (b *Bed) log() logr.Logger {
	return funcr.New(func(_, line string) { b.Observer.Search("the log", line) }, funcr.Options{Verbosity: 1})
}

// searchEvents searches all events that there are.
func (b *Bed) searchEvents(ctx context.Context) error {
	var events eventsv1.EventList
	if err := b.lens.client.List(ctx, &events); err != nil {
		return fmt.Errorf("list the events: %w", err)
	}
	for i := range events.Items {
		text, err := json.Marshal(events.Items[i])
		if err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		b.Observer.Search("an event", string(text))
	}
	return nil
}

// Stored is what the Secret of a HybridActivation holds.
func (b *Bed) Stored(ctx context.Context, key client.ObjectKey) (Code, error) {
	var secret corev1.Secret
	if err := b.lens.client.Get(ctx, key, &secret); err != nil {
		return Code{}, client.IgnoreNotFound(err)
	}
	return Code{ID: string(secret.Data[v1alpha1.SecretKeyID]), Code: string(secret.Data[v1alpha1.SecretKeyCode])}, nil
}

// stored is what the Secrets of all HybridActivations hold that were declared.
func (b *Bed) stored(ctx context.Context) (map[string]Code, error) {
	all := map[string]Code{}
	for description, key := range b.secrets {
		code, err := b.Stored(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read Secret %s: %w", key, err)
		}
		all[description] = code
	}
	return all, nil
}
