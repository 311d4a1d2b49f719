package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	spdx = types.MediaType("application/spdx+json")
	// tagOfLayout and nameOfLayout are annotations that name an entry of a layout: its tag,
	// and for containerd its whole name.
	tagOfLayout  = "org.opencontainers.image.ref.name"
	nameOfLayout = "io.containerd.image.name"
)

// write writes the layout, and what else the options ask for, and returns the digest of
// the image of all platforms.
func write(o options, images []platformImage) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var artifacts []v1.Image
	for _, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image.Image, Descriptor: v1.Descriptor{Platform: image.platform}})
		artifact, err := artifactOf(image)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("pack the bill of materials for %s: %w", image.platform, err)
		}
		artifacts = append(artifacts, artifact)
	}
	if err := writeLayout(o, index, artifacts); err != nil {
		return v1.Hash{}, fmt.Errorf("write the layout: %w", err)
	}
	for _, image := range images {
		name := fmt.Sprintf("%s-%s-%s.spdx.json", o.command, image.platform.OS, image.platform.Architecture)
		if err := os.WriteFile(filepath.Join(filepath.Dir(filepath.Clean(o.output)), name), image.materials, 0o644); err != nil {
			return v1.Hash{}, fmt.Errorf("write the bill of materials: %w", err)
		}
	}
	if o.archive != "" {
		if err := archive(o.output, o.archive, o); err != nil {
			return v1.Hash{}, err
		}
	}
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("digest of the image: %w", err)
	}
	return digest, nil
}

func writeLayout(o options, index v1.ImageIndex, artifacts []v1.Image) error {
	// What an earlier run has left would be in the layout too.
	if err := os.RemoveAll(o.output); err != nil {
		return err
	}
	path, err := layout.Write(o.output, empty.Index)
	if err != nil {
		return err
	}
	names := map[string]string{tagOfLayout: o.version}
	if o.name != "" {
		names[nameOfLayout] = o.name + ":" + o.version
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(names)); err != nil {
		return err
	}
	for _, artifact := range artifacts {
		if err := path.AppendImage(artifact); err != nil {
			return err
		}
	}
	return nil
}

// artifactOf packs the bill of materials of an image as an artifact that refers to it.
func artifactOf(image platformImage) (v1.Image, error) {
	subject, err := partial.Descriptor(image.Image)
	if err != nil {
		return nil, err
	}
	artifact, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(image.materials, spdx))
	if err != nil {
		return nil, err
	}
	// The type of an artifact is that of its configuration.
	referring, ok := mutate.Subject(mutate.ConfigMediaType(artifact, spdx), *subject).(v1.Image)
	if !ok {
		return nil, errors.New("it cannot refer to its image")
	}
	return referring, nil
}
