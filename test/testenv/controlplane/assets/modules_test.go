package assets

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// module is what "go mod edit -json" says about a go.mod.
type module struct {
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// versions reads which version of each module a go.mod selects.
func moduleVersions(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", filepath.Join(dir, "go.mod")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var m module
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	selected := map[string]string{}
	for _, required := range m.Require {
		selected[required.Path] = required.Version
	}
	for _, replaced := range m.Replace {
		if _, ok := selected[replaced.Old.Path]; ok {
			selected[replaced.Old.Path] = replaced.New.Version
		}
	}
	return selected
}

// A package that both import is compiled once only if it and all that it imports
// have the same version in both: that is a quarter of what a fresh machine compiles.
func TestModulesOfProjectAndControlPlaneHaveOneVersion(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	project, plane := moduleVersions(t, root), moduleVersions(t, filepath.Join(root, moduleDir))
	shared := 0
	for path, version := range project {
		other, ok := plane[path]
		if !ok {
			continue
		}
		shared++
		if other != version {
			t.Errorf("go.mod requires %s %s and %s/go.mod %s: run \"go get %[1]s@<the newer one>\" in the other", path, version, moduleDir, other)
		}
	}
	if shared < 20 {
		t.Errorf("got %d modules in both, which is too few to be true", shared)
	}
}
