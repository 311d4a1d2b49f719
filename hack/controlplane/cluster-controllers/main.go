// Command cluster-controllers runs the two controllers of kube-controller-manager
// that the tests and the demo need: the one that empties and removes a deleted
// namespace, and the garbage collector, which deletes what a deleted object owned.
// They are Kubernetes' own. The whole kube-controller-manager takes minutes to
// compile and is in no archive that can be downloaded for every platform.
//
// It prints a line with "ready" once both controllers work, and ends with SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

// As kube-controller-manager has them by default.
const (
	namespaceWorkers = 10
	namespaceResync  = 5 * time.Minute
	garbageWorkers   = 20
	// garbageSync is how often the garbage collector looks for new kinds.
	garbageSync    = 30 * time.Second
	informerResync = 12 * time.Hour
)

const (
	// queriesPerSecond and burst are those of kube-controller-manager's namespace
	// controller, which it gives 20 and 100 times what it gives others.
	queriesPerSecond = 400
	burst            = 3000

	// syncInterval is how often the start looks whether the garbage collector has
	// seen every object.
	syncInterval = 50 * time.Millisecond
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` with the credentials of an administrator")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "cluster-controllers:", err)
		os.Exit(1)
	}
}

// run returns nil when ctx ends.
func run(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = queriesPerSecond, burst
	controllers, err := newControllers(ctx, config)
	if err != nil {
		return err
	}
	return controllers.run(ctx)
}

// controllers are both controllers and what they share.
type controllers struct {
	client    kubernetes.Interface
	namespace *namespace.NamespaceController
	garbage   *garbagecollector.GarbageCollector
	typed     informers.SharedInformerFactory
	all       informerfactory.InformerFactory
	// started is closed when the informers run.
	started chan struct{}
}

func newControllers(ctx context.Context, config *rest.Config) (*controllers, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of metadata: %w", err)
	}
	c := &controllers{
		client:  client,
		typed:   informers.NewSharedInformerFactory(client, informerResync),
		started: make(chan struct{}),
	}
	c.all = informerfactory.NewInformerFactory(c.typed, metadatainformer.NewSharedInformerFactory(metadataClient, informerResync))
	c.namespace = namespace.NewNamespaceController(ctx, client, metadataClient, client.Discovery().ServerPreferredNamespacedResources,
		c.typed.Core().V1().Namespaces(), namespaceResync, corev1.FinalizerKubernetes)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	c.garbage, err = garbagecollector.NewGarbageCollector(ctx, client, metadataClient, mapper,
		garbagecollector.DefaultIgnoredResources(), c.all, c.started)
	if err != nil {
		return nil, fmt.Errorf("make the garbage collector: %w", err)
	}
	return c, nil
}

// run returns when ctx has ended and both controllers have.
func (c *controllers) run(ctx context.Context) error {
	namespaces := c.typed.Core().V1().Namespaces().Informer()
	c.typed.Start(ctx.Done())
	c.all.Start(ctx.Done())
	close(c.started)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { c.namespace.Run(ctx, namespaceWorkers) })
	group.Go(func() { c.garbage.Run(ctx, garbageWorkers, garbageSync) })
	group.Go(func() { c.garbage.Sync(ctx, c.client.Discovery(), garbageSync) })
	if !cache.WaitForCacheSync(ctx.Done(), namespaces.HasSynced) || !c.waitForGarbageCollector(ctx) {
		return nil
	}
	_, err := fmt.Println("ready")
	<-ctx.Done()
	return err
}

// waitForGarbageCollector returns false when ctx ends first.
func (c *controllers) waitForGarbageCollector(ctx context.Context) bool {
	tick := time.NewTicker(syncInterval)
	defer tick.Stop()
	for !c.garbage.IsSynced(klog.FromContext(ctx)) {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
