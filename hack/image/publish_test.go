package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestUploadedImageIsTheOneOfTheLayout(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	self, err := os.Executable() // Any command of Go names its modules.
	if err != nil {
		t.Fatal(err)
	}
	repository := strings.TrimPrefix(server.URL, "http://") + "/operator"
	args := []string{"--name", repository, "--version", "1.2.3", "--output", filepath.Join(dir, "layout")}
	built := call(t, append(slices.Clone(args), "--binary", self, "--platforms", "linux/"+runtime.GOARCH, "--archive", filepath.Join(dir, "image.tar"))...)
	if uploaded := call(t, append(slices.Clone(args), "--upload")...); uploaded != built {
		t.Errorf("built %s and uploaded %s", built, uploaded)
	}
	tag, err := name.NewTag(repository + ":1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := there.Digest()
	if err != nil || digest.String() != built {
		t.Errorf("the registry has %s, not %s: %v", digest, built, err)
	}
	manifest, err := there.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	referrers, err := remote.Referrers(tag.Digest(manifest.Manifests[0].Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := referrers.IndexManifest(); err != nil || len(list.Manifests) != 1 || list.Manifests[0].ArtifactType != string(spdx) {
		t.Errorf("what refers to the image is %+v: %v", list, err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "--output",
		"--output x --upload":            "--name",
		"--output x --binary y":          "one platform",
		"--output x --platforms a/b/c/d": "--platforms",
		"--output x more":                "more",
	} {
		if _, err := parseOptions(strings.Fields(text), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is refused with %v", text, err)
		}
	}
}

// call runs the command and returns what it prints.
func call(t *testing.T, args ...string) string {
	t.Helper()
	o, err := parseOptions(args, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}
