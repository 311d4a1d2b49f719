package objectcache

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// pageSize is how many objects of tenants one answer to a list holds. Each may
// have 1.5 MiB as JSON, and several times that while it is decoded.
const pageSize = 10

// NewInformer makes the informers of the manager's cache. An API server that
// streams the objects at the start of a watch sends one after the other, and each
// is trimmed before the next is decoded. One that does not would answer a list of
// tenants' objects with all of them at once: those are listed in small pages, and
// each page is trimmed before the next is asked for.
func NewInformer(trim cache.TransformFunc) func(cache.ListerWatcher, runtime.Object, time.Duration, cache.Indexers) cache.SharedIndexInformer {
	return func(lw cache.ListerWatcher, of runtime.Object, resync time.Duration, indexers cache.Indexers) cache.SharedIndexInformer {
		switch of.(type) {
		case *v1alpha1.AWSAccount, *v1alpha1.AccountTier: // The platform's, and few.
		case v1alpha1.Object:
			lw = paged(cache.ToListerWatcherWithContext(lw), trim)
		}
		return cache.NewSharedIndexInformer(lw, of, resync, indexers)
	}
}

func paged(lw cache.ListerWatcherWithContext, trim cache.TransformFunc) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			return listPages(ctx, lw, opts, trim)
		},
		WatchFuncWithContext: lw.WatchWithContext,
	}
}

// listPages lists all objects of one version, page by page, and trims each. With
// a version given, an API server may answer with all of them whatever the limit.
func listPages(ctx context.Context, from cache.ListerWithContext, opts metav1.ListOptions, trim cache.TransformFunc) (runtime.Object, error) {
	opts.ResourceVersion, opts.ResourceVersionMatch, opts.Continue, opts.Limit = "", "", "", pageSize
	var all runtime.Object
	var items []runtime.Object
	for {
		page, err := from.ListWithContext(ctx, opts)
		if err != nil {
			return nil, err //nolint:wrapcheck // The reflector chooses by the error what to do.
		}
		if items, err = appendTrimmed(items, page, trim); err != nil {
			return nil, err
		}
		of, err := meta.ListAccessor(page)
		if err != nil {
			return nil, fmt.Errorf("read the metadata of a list: %w", err)
		}
		if all == nil {
			all = page
		}
		if opts.Continue = of.GetContinue(); opts.Continue == "" {
			break
		}
	}
	of, err := meta.ListAccessor(all)
	if err != nil {
		return nil, fmt.Errorf("read the metadata of a list: %w", err)
	}
	of.SetContinue("")
	of.SetRemainingItemCount(nil)
	if err := meta.SetList(all, items); err != nil {
		return nil, fmt.Errorf("put the pages of a list together: %w", err)
	}
	return all, nil
}

func appendTrimmed(items []runtime.Object, page runtime.Object, trim cache.TransformFunc) ([]runtime.Object, error) {
	err := meta.EachListItemWithAlloc(page, func(item runtime.Object) error {
		trimmed, err := trim(item)
		if err != nil {
			return err
		}
		items = append(items, trimmed.(runtime.Object))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("trim a page of a list: %w", err)
	}
	return items, nil
}
