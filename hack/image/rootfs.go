package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is whom the command runs as. It is a number, so that the kubelet can see that it is
// not root.
const user = 65532

// rootsPath is where Go looks for CA roots first.
const rootsPath = "etc/ssl/certs/ca-certificates.crt"

// file is a file or, without content, a directory of the image. Root owns it.
type file struct {
	path    string // without a leading slash
	mode    int64
	content []byte
}

func (f file) isDirectory() bool { return f.content == nil }

// baseFiles are what every image holds.
func baseFiles() []file {
	return []file{
		{path: "etc", mode: 0o755},
		{path: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", user)},
		{path: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/tmp:/sbin/nologin\n", user, user)},
		{path: "etc/ssl", mode: 0o755},
		{path: "etc/ssl/certs", mode: 0o755},
		{path: rootsPath, mode: 0o644, content: roots()},
		{path: "tmp", mode: 0o1777},
	}
}

// roots are the CA roots of Mozilla's programme that it trusts without a condition: a
// file of certificates cannot express a condition.
func roots() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			// Writing to a buffer does not fail.
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return text.Bytes()
}

// layer packs files.
func layer(files []file, modified time.Time) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, f := range files {
		header := &tar.Header{Name: f.path, Mode: f.mode, ModTime: modified, Typeflag: tar.TypeReg, Size: int64(len(f.content)), Format: tar.FormatPAX}
		if f.isDirectory() {
			header.Typeflag, header.Name = tar.TypeDir, f.path+"/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.path, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack a layer: %w", err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}
