package assets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// moduleDir is the directory, below the root of the checkout, of the Go module
// that pins Kubernetes and etcd.
const moduleDir = "hack/controlplane"

// EnvModule names the environment variable with the file of hack/controlplane that
// selects another version of Kubernetes than go.mod does, such as oldest.mod.
const EnvModule = "CONTROLPLANE_MOD"

// packages maps each binary to the main package that it is compiled from.
var packages = map[string]string{
	Etcd:        "go.etcd.io/etcd/server/v3",
	APIServer:   "k8s.io/kubernetes/cmd/kube-apiserver",
	Kubectl:     "k8s.io/kubernetes/cmd/kubectl",
	Controllers: "./" + Controllers,
}

// build is what has to be known to compile one version of the control plane.
type build struct {
	root         string   // of the checkout
	version      string   // of Kubernetes, such as "v1.37.2"
	major, minor int      // of that version
	flags        []string // of "go build"
	dir          string   // where the binaries belong, absolute
}

var kubernetesRequirement = regexp.MustCompile(`(?m)^(?:require)?\s+k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+\S*)`)

// newBuild reads the pinned version and computes the cache directory, whose
// name changes with everything that the binaries are made from.
func newBuild(root string) (*build, error) {
	file := cmp.Or(os.Getenv(EnvModule), "go.mod")
	mod, err := os.ReadFile(filepath.Join(root, moduleDir, file))
	if err != nil {
		return nil, fmt.Errorf("read the pinned version of Kubernetes: %w", err)
	}
	match := kubernetesRequirement.FindStringSubmatch(string(mod))
	if match == nil {
		return nil, fmt.Errorf("%s/%s requires no version of k8s.io/kubernetes", moduleDir, file)
	}
	b := &build{root: root, version: match[1]}
	if b.major, err = strconv.Atoi(match[2]); err != nil {
		return nil, fmt.Errorf("read the pinned version of Kubernetes: %w", err)
	}
	if b.minor, err = strconv.Atoi(match[3]); err != nil {
		return nil, fmt.Errorf("read the pinned version of Kubernetes: %w", err)
	}
	b.flags = append(buildFlags(b.version, match[2], match[3]), "-modfile="+file)
	key, err := b.key(file)
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	b.dir = filepath.Join(cache, fmt.Sprintf("%s-%s-%s-%s", b.version, runtime.GOOS, runtime.GOARCH, key))
	return b, nil
}

// key returns a hash of the flags and of the module's files, with file as its go.mod.
func (b *build) key(file string) (string, error) {
	hash := sha256.New()
	add := func(part []byte) {
		fmt.Fprintf(hash, "%d\n", len(part))
		hash.Write(part)
	}
	sources, err := filepath.Glob(filepath.Join(b.root, moduleDir, Controllers, "*.go"))
	if err != nil {
		return "", fmt.Errorf("find the sources of the controllers: %w", err)
	}
	module, sum := filepath.Join(b.root, moduleDir), strings.TrimSuffix(file, ".mod")+".sum"
	for _, path := range append([]string{filepath.Join(module, file), filepath.Join(module, sum)}, sources...) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read what the control plane is made from: %w", err)
		}
		add(content)
	}
	add([]byte(strings.Join(b.flags, "\n")))
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// buildFlags returns the flags of "go build". None of them changes how a package
// is compiled, so what the project imports too is compiled once for both: that is
// why there is no -trimpath. The version is stamped as
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
		"-mod=readonly", "-buildvcs=false",
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
