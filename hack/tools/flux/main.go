// Command flux does with a file of manifests what Flux's kustomize-controller does with a
// Kustomization, with the library of that controller:
//
//	flux apply FILE    applies the objects in the controller's stages
//	flux wait FILE     waits until they are ready, as "wait: true" does
//	flux delete FILE   deletes them, as "prune: true" does
//	flux gone FILE     waits until they are gone, as "deletionPolicy: WaitForTermination" does
//
// The cluster is that of KUBECONFIG. The tests of the operator use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// interval is how often the API server is asked. The controller's is five seconds.
const interval = 200 * time.Millisecond

func main() {
	ctrllog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "flux:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("flux", flag.ContinueOnError)
	timeout := flags.Duration("timeout", time.Minute, "how long to wait")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("say what to do, and with which file: flux [--timeout 1m] apply|wait|delete|gone FILE")
	}
	manager, err := newManager()
	if err != nil {
		return err
	}
	objects, err := read(flags.Arg(1))
	if err != nil {
		return err
	}
	wait := ssa.WaitOptions{Interval: interval, Timeout: *timeout, FailFast: true}
	switch flags.Arg(0) {
	case "apply":
		options := ssa.DefaultApplyOptions()
		options.WaitInterval, options.WaitTimeout = interval, *timeout
		_, err = manager.ApplyAllStaged(ctx, objects, options)
	case "wait":
		err = manager.Wait(objects, wait)
	case "delete":
		_, err = manager.DeleteAll(ctx, objects, ssa.DefaultDeleteOptions())
	case "gone":
		err = manager.WaitForTermination(objects, wait)
	default:
		err = fmt.Errorf("%q is none of apply, wait, delete and gone", flags.Arg(0))
	}
	return err
}

func newManager() (*ssa.ResourceManager, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = -1, -1 // As controllers of Flux leave it to the API server.
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{})
	return ssa.NewResourceManager(c, poller, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}), nil
}

// read returns the objects of a file, as the controller reads what kustomize has built.
func read(path string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	objects, err := utils.ReadObjects(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return objects, normalize.UnstructuredList(objects)
}
