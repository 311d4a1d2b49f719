package manifest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
)

func read(t *testing.T, text string) *manifest.Content {
	t.Helper()
	content, err := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAProblemStandsInTheLineOfItsField(t *testing.T) {
	content := read(t, `# Two documents, the second one a list.
apiVersion: v1
kind: Namespace
metadata:
  name: team-a
---
apiVersion: v1
kind: List
items:
- apiVersion: ssm-access.dev/v1alpha1
  kind: SessionAccess
  metadata: {name: one, namespace: team-a}
  spec:
    targets:
    - tags:
        Env: stg
    - instanceIDs:
      - i-051cac51072605f39
---
# Nothing but a comment.
`)
	if len(content.Problems) > 0 || len(content.Objects) != 2 {
		t.Fatalf("%d objects and the problems %v, want two objects", len(content.Objects), content.Problems)
	}
	for path, line := range map[string]int{
		"": 10, "metadata.name": 12, "spec": 13, "spec.targets[0].tags[Env]": 16, "spec.targets[1]": 17,
		"spec.targets[1].instanceIDs[0]": 18, "spec.targets[7].tags": 14, "spec.nothing": 13,
	} {
		if got := content.Objects[1].Problem(path, "").Line; got != line {
			t.Errorf("%q stands in line %d, want %d", path, got, line)
		}
	}
}

func TestWhatIsNoManifestIsAProblemInItsLine(t *testing.T) {
	for text, want := range map[string]struct {
		line int
		says string
	}{
		"kind: A\nkind: B\n": {2, `key "kind" already set in map`},
		"---\nkind: [\n":     {2, "did not find expected node content"},
		"just text\n":        {1, "is no Kubernetes object"},
		"a: b\n":             {1, "set apiVersion and kind"},
		"apiVersion: v1\nkind: A\n---\nmetadata: {}\n":        {4, "set apiVersion and kind"},
		"apiVersion: v1\nkind: AList\nitems:\n- one\n":        {4, "is no Kubernetes object"},
		"apiVersion: v1\nkind: A\n\n---\na:\n  b: 1\n c: 2\n": {6, "did not find expected key"},
	} {
		content := read(t, text)
		if len(content.Problems) != 1 || content.Problems[0].Line != want.line || !strings.Contains(content.Problems[0].Message, want.says) {
			t.Errorf("%q gives %v, want line %d and %q", text, content.Problems, want.line, want.says)
		}
	}
}

func TestADirectoryIsReadWithWhatIsBelowAndAKustomizationIsBuilt(t *testing.T) {
	dir := t.TempDir()
	object := func(name string) string {
		return "apiVersion: ssm-access.dev/v1alpha1\nkind: SessionAccess\nmetadata: {name: " + name + "}\n"
	}
	for path, text := range map[string]string{
		"b.yaml": object("b"), "a.yml": object("a"), "note.txt": "none", "below/c.json": `{"apiVersion":"ssm-access.dev/v1alpha1","kind":"SessionAccess","metadata":{"name":"c"}}`,
		"built/kustomization.yaml": "namePrefix: built-\nresources: [d.yaml]\n", "built/d.yaml": object("d"), ".git/e.yaml": object("e"),
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := manifest.Read([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, o := range content.Objects {
		names = append(names, o.GetName())
	}
	if want := []string{"a", "b", "c", "built-d"}; !slices.Equal(names, want) {
		t.Errorf("read %q, want %q", names, want)
	}
	if built := content.Objects[3].Problem("metadata.name", ""); built.File != filepath.Join(dir, "built") || built.Line != 0 {
		t.Errorf("what was built stands in %s:%d, want the directory alone", built.File, built.Line)
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: A}]\n---\n- 1\n")
	f.Add("--- # one\na: &x {b: *x}\n")
	f.Fuzz(func(t *testing.T, text string) {
		content, err := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range content.Objects {
			for _, path := range []string{"", "metadata.name", "spec[0][", "items[1].a"} {
				_ = o.Problem(path, "").String()
			}
		}
	})
}
