package invariants

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// ClusterWatcher shows the objects of all of the project's kinds in a cluster, as they come
// by on watches. It serves all harnesses on the cluster.
type ClusterWatcher struct {
	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured
	changed chan struct{}
	// search is shown every state of every object.
	search func(where, text string)
	// client writes as fast as it can.
	client client.Client
	cancel context.CancelFunc
	ended  chan struct{}
}

// Watch begins to show a cluster. Close ends it.
func Watch(ctx context.Context, cluster *testenv.Cluster) (*ClusterWatcher, error) {
	all, err := cache.New(cluster.Config, cache.Options{Scheme: cluster.Client.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("watch the cluster: %w", err)
	}
	fast := rest.CopyConfig(cluster.Config)
	fast.QPS = -1
	writer, err := client.New(fast, client.Options{Scheme: cluster.Client.Scheme(), Mapper: cluster.Client.RESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &ClusterWatcher{objects: map[string]*unstructured.Unstructured{}, changed: make(chan struct{}), search: func(string, string) {}, client: writer, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		_ = all.Start(running) // It ends when running is canceled.
	}()
	for kind := range cluster.Client.Scheme().KnownTypes(v1alpha1.GroupVersion) {
		if !strings.HasSuffix(kind, "List") || kind == "List" {
			continue
		}
		one := &unstructured.Unstructured{}
		one.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(strings.TrimSuffix(kind, "List")))
		informer, err := all.GetInformer(ctx, one)
		if err == nil {
			_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
				AddFunc: l.put, UpdateFunc: func(_, obj any) { l.put(obj) }, DeleteFunc: l.remove,
			})
		}
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("watch %s: %w", one.GetKind(), err)
		}
	}
	return l, nil
}

// showTo passes every state of every object to search from now on.
func (l *ClusterWatcher) showTo(search func(where, text string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.search = search
}

// Close ends the watches.
func (l *ClusterWatcher) Close() {
	l.cancel()
	<-l.ended
}

func id(u *unstructured.Unstructured) string {
	return u.GetKind() + "/" + client.ObjectKeyFromObject(u).String()
}

func (l *ClusterWatcher) put(obj any) {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.objects[id(u)] = u
	l.search(id(u), dump([]*unstructured.Unstructured{u}))
	l.ring()
}

func (l *ClusterWatcher) remove(obj any) {
	if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.objects, id(u))
	l.ring()
}

func (l *ClusterWatcher) ring() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// look returns all objects in the order of their names, and a channel that is
// closed at the next change.
func (l *ClusterWatcher) look() (objects []*unstructured.Unstructured, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.objects {
		objects = append(objects, u)
	}
	slices.SortFunc(objects, func(a, h *unstructured.Unstructured) int { return strings.Compare(id(a), id(h)) })
	return objects, l.changed
}
