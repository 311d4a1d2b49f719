package assets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/tools/setup-envtest/remote"
	"sigs.k8s.io/controller-runtime/tools/setup-envtest/store"
	"sigs.k8s.io/controller-runtime/tools/setup-envtest/versions"
)

// EnvIndex names the environment variable with the URL of another index of
// archives than the one of Kubernetes' controller-tools, such as a mirror's. It
// has the format of that index, envtest-releases.yaml.
const EnvIndex = "CONTROLPLANE_INDEX"

const (
	// indexLimit bounds the question which versions can be downloaded: on a
	// network that drops packets it would otherwise take minutes to fail.
	indexLimit = 20 * time.Second

	// downloadLimit bounds the download itself, about 100 MB. Compiling takes
	// about as long.
	downloadLimit = 10 * time.Minute
)

// offer is an archive that can be downloaded.
type offer struct {
	client  remote.Client
	version versions.Concrete
	item    versions.PlatformItem
}

// findOffer returns the newest archive of the build's minor version for this
// platform: the archives lack most patch releases.
func (b *build) findOffer(ctx context.Context) (offer, error) {
	ctx, cancel := context.WithTimeout(ctx, indexLimit)
	defer cancel()
	client := &remote.HTTPClient{Log: logr.Discard(), IndexURL: os.Getenv(EnvIndex)}
	sets, err := client.ListVersions(ctx) // The newest first.
	if err != nil {
		return offer{}, err
	}
	wanted := versions.PatchSelector{Major: b.major, Minor: b.minor, Patch: versions.AnyPoint}
	here := versions.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}
	for _, set := range sets {
		if !wanted.Matches(set.Version) {
			continue
		}
		for _, item := range set.Platforms {
			if item.Platform == here {
				return offer{client, set.Version, item}, nil
			}
		}
	}
	return offer{}, fmt.Errorf("no archive of Kubernetes %d.%d for %s/%s is offered", b.major, b.minor, here.OS, here.Arch)
}

// take downloads the archive, checks its hash, and moves those binaries into dir
// that belong there.
func (o offer) take(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(logr.NewContext(ctx, logr.Discard()), downloadLimit)
	defer cancel()
	archive, err := os.CreateTemp(dir, "archive-")
	if err != nil {
		return fmt.Errorf("store the download: %w", err)
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	if err := o.client.GetVersion(ctx, o.version, o.item, archive); err != nil {
		return err
	}
	if _, err := archive.Seek(0, 0); err != nil {
		return fmt.Errorf("read the download: %w", err)
	}
	unpacked := store.NewAt(filepath.Join(dir, "unpacked"))
	defer os.RemoveAll(filepath.Join(dir, "unpacked"))
	item := store.Item{Version: o.version, Platform: o.item.Platform}
	if err := unpacked.Initialize(ctx); err != nil {
		return fmt.Errorf("unpack the download: %w", err)
	}
	if err := unpacked.Add(ctx, item, archive); err != nil {
		return fmt.Errorf("unpack the download: %w", err)
	}
	from, err := unpacked.Path(item)
	if err != nil {
		return fmt.Errorf("unpack the download: %w", err)
	}
	// It is unpacked read-only.
	if err := os.Chmod(from, 0o755); err != nil {
		return fmt.Errorf("open the download: %w", err)
	}
	for _, name := range Names() {
		err := os.Rename(filepath.Join(from, name), filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("take %s from the download: %w", name, err)
		}
	}
	return nil
}
