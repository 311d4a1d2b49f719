package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// platformImage is the image of one platform.
type platformImage struct {
	v1.Image
	platform *v1.Platform
	// materials is its bill of materials, in SPDX's JSON format.
	materials []byte
}

// assemble makes the image of the command for one platform.
func assemble(ctx context.Context, o options, platform *v1.Platform) (platformImage, error) {
	binary, err := build(ctx, o, platform)
	if err != nil {
		return platformImage{}, err
	}
	if o.binaries != "" {
		name := o.command + "-" + platform.OS + "-" + platform.Architecture
		if err := os.WriteFile(filepath.Join(o.binaries, name), binary, 0o755); err != nil {
			return platformImage{}, fmt.Errorf("write the command: %w", err)
		}
	}
	base, own := baseFiles(), []file{{path: o.command, mode: 0o755, content: binary}}
	var layers []v1.Layer
	for _, files := range [][]file{base, own} {
		packed, err := layer(files, o.created)
		if err != nil {
			return platformImage{}, err
		}
		layers = append(layers, packed)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layers...); err != nil {
		return platformImage{}, fmt.Errorf("add the layers: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return platformImage{}, fmt.Errorf("read the configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	config.Created = v1.Time{Time: o.created}
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Entrypoint: []string{"/" + o.command},
		WorkingDir: "/",
		Labels:     labels(o),
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return platformImage{}, fmt.Errorf("set the configuration: %w", err)
	}
	materials, err := billOfMaterials(o, platform, binary, slices.Concat(base, own))
	if err != nil {
		return platformImage{}, err
	}
	return platformImage{Image: image, platform: platform, materials: materials}, nil
}

func labels(o options) map[string]string {
	found := map[string]string{
		"org.opencontainers.image.title":    "ssm-access-operator: " + o.command,
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.source":   source,
		"org.opencontainers.image.version":  o.version,
	}
	if o.revision != "" {
		found["org.opencontainers.image.revision"] = o.revision
	}
	return found
}

// source is where the sources are published.
const source = "https://github.com/ssm-access-operator/ssm-access-operator"
