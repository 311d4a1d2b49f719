package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func isKustomization(dir string) bool {
	return slices.ContainsFunc(konfig.RecognizedKustomizationFileNames(), func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && !info.IsDir()
	})
}

// build builds a kustomization. Its objects are not in any file as they are, so no line of
// them is known: the directory stands for the file.
func (c *Content) build(dir string) error {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return fmt.Errorf("build the kustomization in %s: %w", dir, err)
	}
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return fmt.Errorf("build the kustomization in %s: %w", dir, err)
		}
		before := len(c.Objects)
		c.parse(dir, text)
		for _, object := range c.Objects[before:] {
			object.root = nil
		}
	}
	return nil
}
