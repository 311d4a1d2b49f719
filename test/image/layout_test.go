package image_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// This reads an OCI layout by the specification, and shares no code with what writes it.

type descriptor struct {
	MediaType, Digest, ArtifactType string
	Platform                        struct{ OS, Architecture string }
}

type manifest struct {
	MediaType string
	Config    descriptor
	Layers    []descriptor
	Manifests []descriptor
	Subject   *descriptor
}

type config struct {
	OS, Architecture string
	Config           struct {
		User       string
		Entrypoint []string
		Labels     map[string]string
	}
}

// layout is a directory with an OCI layout.
type layout struct {
	*testing.T
	dir string
}

func (l layout) read(digest string, into any) []byte {
	l.Helper()
	content, err := os.ReadFile(filepath.Join(l.dir, "blobs", strings.Replace(digest, ":", "/", 1)))
	if err != nil {
		l.Fatal(err)
	}
	if sum := sha256.Sum256(content); digest != "sha256:"+hex.EncodeToString(sum[:]) {
		l.Fatalf("blob %s has another hash", digest)
	}
	if into != nil {
		if err := json.Unmarshal(content, into); err != nil {
			l.Fatal(err)
		}
	}
	return content
}

// image returns the image of a platform, its digest, and the artifact that refers to it.
func (l layout) image(os, architecture string) (image manifest, digest string, artifact manifest) {
	l.Helper()
	var top, index manifest
	for _, entry := range l.top(&top) {
		if entry.MediaType == "application/vnd.oci.image.index.v1+json" {
			l.read(entry.Digest, &index)
		}
	}
	for _, entry := range index.Manifests {
		if entry.Platform.OS == os && entry.Platform.Architecture == architecture {
			digest = entry.Digest
			l.read(digest, &image)
		}
	}
	for _, entry := range top.Manifests {
		var candidate manifest
		if l.read(entry.Digest, &candidate); candidate.Subject != nil && candidate.Subject.Digest == digest {
			artifact = candidate
		}
	}
	if digest == "" || artifact.Subject == nil {
		l.Fatalf("the layout has no image for %s/%s, or nothing refers to it", os, architecture)
	}
	return image, digest, artifact
}

func (l layout) top(into *manifest) []descriptor {
	l.Helper()
	content, err := os.ReadFile(filepath.Join(l.dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		l.Fatal(err)
	}
	return into.Manifests
}

// unpack writes the layers of an image to a directory.
func (l layout) unpack(image manifest, root string) {
	l.Helper()
	for _, layer := range image.Layers {
		compressed, err := gzip.NewReader(strings.NewReader(string(l.read(layer.Digest, nil))))
		if err != nil {
			l.Fatal(err)
		}
		for r := tar.NewReader(compressed); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = unpackEntry(root, header, r)
			}
			if err != nil {
				l.Fatal(err)
			}
		}
	}
}

func unpackEntry(root string, header *tar.Header, content io.Reader) error {
	if header.Uid != 0 || header.Gid != 0 || !filepath.IsLocal(header.Name) {
		return errors.New(header.Name + " is not root's, or lies outside of the image")
	}
	path, mode := filepath.Join(root, header.Name), header.FileInfo().Mode()
	if header.Typeflag == tar.TypeDir {
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return os.Chmod(path, mode)
	}
	if header.Typeflag != tar.TypeReg {
		return errors.New(header.Name + " is neither a file nor a directory")
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
