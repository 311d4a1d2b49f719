package main

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// upload uploads the image of a layout under its name and version, and the bills of
// materials that refer to it, and returns its digest. It uses the credentials that the
// container tools of the user keep.
func upload(ctx context.Context, o options) (v1.Hash, error) {
	tag, err := name.NewTag(o.name + ":" + o.version)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("--name: %w", err)
	}
	all, err := layout.ImageIndexFromPath(o.output)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read the layout in %s: %w", o.output, err)
	}
	manifest, err := all.IndexManifest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read the layout in %s: %w", o.output, err)
	}
	var digest v1.Hash
	for _, entry := range manifest.Manifests {
		if entry.MediaType.IsIndex() {
			digest = entry.Digest
			err = uploadIndex(ctx, tag, all, digest)
		} else {
			err = uploadArtifact(ctx, tag, all, entry.Digest)
		}
		if err != nil {
			return v1.Hash{}, fmt.Errorf("upload %s: %w", tag, err)
		}
	}
	return digest, nil
}

func uploadIndex(ctx context.Context, tag name.Tag, all v1.ImageIndex, digest v1.Hash) error {
	index, err := all.ImageIndex(digest)
	if err != nil {
		return err
	}
	return remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

func uploadArtifact(ctx context.Context, tag name.Tag, all v1.ImageIndex, digest v1.Hash) error {
	artifact, err := all.Image(digest)
	if err != nil {
		return err
	}
	return remote.Write(tag.Digest(digest.String()), artifact, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// archive packs a layout into a file, for "docker load", "kind load image-archive" and
// "ctr images import".
func archive(dir, path string, o options) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	w := tar.NewWriter(file)
	files := os.DirFS(dir)
	err = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: path, Mode: 0o644, Size: int64(len(content)), ModTime: o.created, Format: tar.FormatPAX}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("pack the layout: %w", err)
	}
	return w.Close()
}
