// Package assets finds the binaries of a Kubernetes control plane and, where
// they are missing, downloads or compiles them into a cache outside of the
// checkout.
//
// It imports the standard library alone, so that a fresh clone can run it
// before a single module has been downloaded.
package assets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// EnvDir names the environment variable that overrides the directory of the
// binaries. It is the one that controller-runtime's envtest reads.
const EnvDir = "KUBEBUILDER_ASSETS"

// Names of the binaries that make a control plane in which objects are
// defaulted, stored, garbage collected and whose namespaces can be deleted.
const (
	Etcd      = "etcd"
	APIServer = "kube-apiserver"
	Kubectl   = "kubectl"
	// Controllers are two of kube-controller-manager's: hack/controlplane/cluster-controllers.
	Controllers = "cluster-controllers"
)

// Names returns the names of all binaries that a complete directory holds.
func Names() []string {
	return []string{Etcd, APIServer, Controllers, Kubectl}
}

// ErrMissing is returned when no complete directory of binaries is found.
var ErrMissing = errors.New("the binaries of the control plane are missing")

// Check returns nil when dir holds an executable file for each of Names, or an
// error that wraps ErrMissing and names those that it lacks.
func Check(dir string) error {
	lacking := missing(dir)
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s does not hold %s", ErrMissing, dir, strings.Join(lacking, ", "))
}

// missing returns those of Names that are no executable file in dir.
func missing(dir string) []string {
	var lacking []string
	for _, name := range Names() {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// Find returns the absolute path of a directory that passes Check: the one
// named by EnvDir when it is complete, else the cache directory for the
// checkout that encloses the current working directory. It neither downloads
// nor compiles; an error that wraps ErrMissing says how to.
func Find() (string, error) {
	if dir, ok := fromEnvironment(); ok {
		return dir, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("%w: %w; set %s to a directory that holds %s",
			ErrMissing, err, EnvDir, strings.Join(Names(), ", "))
	}
	build, err := newBuild(root)
	if err != nil {
		return "", err
	}
	if err := Check(build.dir); err != nil {
		return "", fmt.Errorf("%w; run \"make controlplane\" in %s", err, root)
	}
	return build.dir, nil
}

// fromEnvironment returns the directory named by EnvDir if it is complete. One
// that envtest alone would accept lacks the controllers, and is ignored.
func fromEnvironment() (string, bool) {
	dir := os.Getenv(EnvDir)
	if dir == "" || Check(dir) != nil {
		return "", false
	}
	dir, err := filepath.Abs(dir)
	return dir, err == nil
}

// moduleRoot returns the closest directory at or above the current one that
// holds the module which pins the control plane.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the current directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, moduleDir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout with %s", start, moduleDir)
		}
	}
}
