// Command crdcheck reports whether the API server of one version of Kubernetes
// accepts CustomResourceDefinitions. It has the validation of the version that
// its go.mod selects: the API server's own, with the limits on the cost of rules
// and the functions of CEL that this version knows. Each <minor>.mod beside it
// selects another one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

const library = "k8s.io/apiextensions-apiserver"

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: crdcheck <directory of CRDs>") }
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: %v\n", library, version(), err)
		os.Exit(1)
	}
}

// run returns nil when every CRD of the directory is accepted.
func run(directory string) error {
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s holds no CRDs: %w", directory, errors.Join(err, os.ErrNotExist))
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	var rejected []error
	for _, file := range files {
		if err := check(scheme, file); err != nil {
			rejected = append(rejected, fmt.Errorf("%s is rejected: %w", filepath.Base(file), err))
		}
	}
	if len(rejected) > 0 {
		return errors.Join(rejected...)
	}
	_, err = fmt.Printf("%s %s accepts %d CRDs\n", library, version(), len(files))
	return err
}

// check returns nil when the CRD in the file would be created.
func check(scheme *runtime.Scheme, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// Strict: a field that this version does not know would be dropped.
	var served apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &served); err != nil {
		return err
	}
	scheme.Default(&served)
	var stored apiextensions.CustomResourceDefinition
	if err := scheme.Convert(&served, &stored, nil); err != nil {
		return err
	}
	// As the API server does it when the object is created.
	stored.Status.StoredVersions = nil
	for _, version := range stored.Spec.Versions {
		if version.Storage {
			stored.Status.StoredVersions = append(stored.Status.StoredVersions, version.Name)
		}
	}
	return validation.ValidateCustomResourceDefinition(context.Background(), &stored).ToAggregate()
}

// version is the version of the library that is linked.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version"
	}
	for _, module := range info.Deps {
		if module.Path == library {
			return module.Version
		}
	}
	return "of unknown version"
}
