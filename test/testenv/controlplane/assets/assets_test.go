package assets

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// putBinaries makes dir, with an empty executable for each name.
func putBinaries(t *testing.T, dir string, names ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkout makes a directory with a module that pins version, and changes to
// it.
func checkout(t *testing.T, version, sum string) string {
	t.Helper()
	root := t.TempDir()
	module := filepath.Join(root, moduleDir)
	if err := os.MkdirAll(module, 0o755); err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/controlplane\n\nrequire k8s.io/kubernetes " + version + "\n"
	for name, content := range map[string]string{"go.mod": mod, "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	t.Setenv(EnvDir, "")
	t.Setenv(EnvModule, "")
	return root
}

func TestIncompleteDirectoryNamesWhatItLacks(t *testing.T) {
	dir := putBinaries(t, t.TempDir(), Etcd, APIServer, Kubectl)
	err := Check(dir)
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), Controllers) || strings.Contains(err.Error(), Kubectl) {
		t.Errorf("got %v, want an error that names %s alone", err, Controllers)
	}
}

func TestBinaryThatCannotBeExecutedIsMissing(t *testing.T) {
	dir := putBinaries(t, t.TempDir(), Names()...)
	if err := os.Chmod(filepath.Join(dir, Etcd), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
}

func TestFindPrefersACompleteDirectoryOfTheEnvironment(t *testing.T) {
	checkout(t, "v1.37.2", "")
	want := putBinaries(t, t.TempDir(), Names()...)
	t.Setenv(EnvDir, want)
	if got, err := Find(); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestFindIgnoresAnIncompleteDirectoryOfTheEnvironment(t *testing.T) {
	root := checkout(t, "v1.37.2", "")
	t.Setenv(EnvDir, putBinaries(t, t.TempDir(), Etcd, APIServer, Kubectl))
	b, err := newBuild(root)
	if err != nil {
		t.Fatal(err)
	}
	putBinaries(t, b.dir, Names()...)
	if got, err := Find(); err != nil || got != b.dir {
		t.Errorf("got %q, %v; want %q", got, err, b.dir)
	}
}

func TestFindInAFreshCloneSaysHowToBuild(t *testing.T) {
	checkout(t, "v1.37.2", "")
	_, err := Find()
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), `"make controlplane"`) {
		t.Errorf("got %v, want ErrMissing that names make controlplane", err)
	}
}

func TestFindOutsideOfACheckoutSaysWhatToSet(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(EnvDir, "")
	_, err := Find()
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), EnvDir) {
		t.Errorf("got %v, want ErrMissing that names %s", err, EnvDir)
	}
}

func TestFindWorksBelowTheRootOfTheCheckout(t *testing.T) {
	root := checkout(t, "v1.37.2", "")
	b, err := newBuild(root)
	if err != nil {
		t.Fatal(err)
	}
	putBinaries(t, b.dir, Names()...)
	t.Chdir(filepath.Join(root, moduleDir))
	if got, err := Find(); err != nil || got != b.dir {
		t.Errorf("got %q, %v; want %q", got, err, b.dir)
	}
}

func TestCacheDirectoryChangesWithEveryInput(t *testing.T) {
	cases := map[string]struct{ version, sum string }{
		"as it is":          {"v1.37.2", "a"},
		"other checksums":   {"v1.37.2", "b"},
		"other version":     {"v1.37.3", "a"},
		"other pre-release": {"v1.38.0-rc.1", "a"},
	}
	seen := map[string]string{}
	for name, c := range cases {
		b, err := newBuild(checkout(t, c.version, c.sum))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		base := filepath.Base(b.dir)
		if !strings.HasPrefix(base, c.version+"-") {
			t.Errorf("%s: %s does not start with the version", name, base)
		}
		if other, ok := seen[base]; ok {
			t.Errorf("%s and %s share %s", name, other, base)
		}
		seen[base] = name
	}
}

func TestAnotherFileOfTheModuleSelectsAnotherVersion(t *testing.T) {
	root := checkout(t, "v1.37.2", "")
	for name, content := range map[string]string{"oldest.mod": "require k8s.io/kubernetes v1.32.13\n", "oldest.sum": ""} {
		if err := os.WriteFile(filepath.Join(root, moduleDir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(EnvModule, "oldest.mod")
	b, err := newBuild(root)
	if err != nil {
		t.Fatal(err)
	}
	if b.version != "v1.32.13" || b.minor != 32 || !slices.Contains(b.flags, "-modfile=oldest.mod") {
		t.Errorf("got version %s, minor version %d, flags %q", b.version, b.minor, b.flags)
	}
}

func TestVersionIsStamped(t *testing.T) {
	b, err := newBuild(checkout(t, "v1.37.2", ""))
	if err != nil {
		t.Fatal(err)
	}
	flags := strings.Join(b.flags, " ")
	for _, want := range []string{".gitVersion=v1.37.2", ".gitMajor=1", ".gitMinor=37"} {
		if !strings.Contains(flags, want) {
			t.Errorf("flags %q lack %s", flags, want)
		}
	}
}

func TestRelativeCacheHomeIsRefused(t *testing.T) {
	root := checkout(t, "v1.37.2", "")
	t.Setenv("XDG_CACHE_HOME", "cache")
	if _, err := newBuild(root); err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("got %v, want an error that names XDG_CACHE_HOME", err)
	}
}
