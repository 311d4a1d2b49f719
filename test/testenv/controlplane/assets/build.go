package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// moduleDir is the directory, below the root of the checkout, of the Go module
// that pins Kubernetes and etcd.
const moduleDir = "hack/controlplane"

// packages maps each binary to the main package that it is compiled from.
var packages = map[string]string{
	Etcd:              "go.etcd.io/etcd/server/v3",
	APIServer:         "k8s.io/kubernetes/cmd/kube-apiserver",
	ControllerManager: "k8s.io/kubernetes/cmd/kube-controller-manager",
	Kubectl:           "k8s.io/kubernetes/cmd/kubectl",
}

// build is what has to be known to compile one version of the control plane.
type build struct {
	root    string   // of the checkout
	version string   // of Kubernetes, such as "v1.36.3"
	flags   []string // of "go build"
	dir     string   // where the binaries belong, absolute
}

var kubernetesRequirement = regexp.MustCompile(`(?m)^(?:require)?\s+k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+\S*)`)

// newBuild reads the pinned version and computes the cache directory, whose
// name changes with everything that the binaries are made from.
func newBuild(root string) (*build, error) {
	mod, err := os.ReadFile(filepath.Join(root, moduleDir, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("read the pinned version of Kubernetes: %w", err)
	}
	sum, err := os.ReadFile(filepath.Join(root, moduleDir, "go.sum"))
	if err != nil {
		return nil, fmt.Errorf("read the checksums of Kubernetes: %w", err)
	}
	match := kubernetesRequirement.FindSubmatch(mod)
	if match == nil {
		return nil, fmt.Errorf("%s/go.mod requires no version of k8s.io/kubernetes", moduleDir)
	}
	version, major, minor := string(match[1]), string(match[2]), string(match[3])
	flags := buildFlags(version, major, minor)

	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	for _, part := range [][]byte{mod, sum, []byte(strings.Join(flags, "\n"))} {
		fmt.Fprintf(hash, "%d\n", len(part))
		hash.Write(part)
	}
	name := fmt.Sprintf("%s-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH, hex.EncodeToString(hash.Sum(nil))[:12])
	return &build{root: root, version: version, flags: flags, dir: filepath.Join(cache, name)}, nil
}

// buildFlags returns the flags of "go build". The version is stamped as
// Kubernetes' own build does it: a server that reports v0.0.0 breaks clients
// which look at it.
func buildFlags(version, major, minor string) []string {
	ldflags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		ldflags = append(ldflags,
			"-X "+pkg+".gitVersion="+version,
			"-X "+pkg+".gitMajor="+major,
			"-X "+pkg+".gitMinor="+minor,
			"-X "+pkg+".gitTreeState=clean")
	}
	return []string{
		"-mod=readonly", "-buildvcs=false", "-trimpath",
		// Lets the linker drop methods that nothing calls.
		"-tags=grpcnotrace",
		"-ldflags=" + strings.Join(ldflags, " "),
	}
}

// cacheDir returns the directory that holds the binaries of all versions.
func cacheDir() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", errors.New("no place to keep the control plane: set HOME or XDG_CACHE_HOME")
		}
		base = filepath.Join(home, ".cache")
	}
	if !filepath.IsAbs(base) {
		return "", fmt.Errorf("no place to keep the control plane: XDG_CACHE_HOME is %q; set it to an absolute path", base)
	}
	return filepath.Join(base, "ssm-access-operator", "controlplane"), nil
}
