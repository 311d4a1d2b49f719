// Package docs_test checks that the names in the documentation are those of the sources.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = ".."

var (
	quoted = regexp.MustCompile("`([^`\n]+)`")
	// file is a path below the root, or the bare name of a Go file.
	file = regexp.MustCompile(`^(api|cmd|config|controllers|docs|findings|hack|internal|test)/[\w./-]+$|^[\w-]+\.go$`)
	// identifier is a name of the sources, perhaps with its package or type. A word in
	// lower case may be anything.
	identifier = regexp.MustCompile(`^[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*$`)
	wordOf     = regexp.MustCompile(`\w+`)
	upper      = regexp.MustCompile(`[A-Z]`)
	stop       = regexp.MustCompile(`(?m)^[ │▼]+(\S+\.go) +([\w.]+)  `)
)

// page is docs/development.md, without its code blocks, and the blocks.
func page(t *testing.T) (text string, blocks []string) {
	t.Helper()
	content, err := os.ReadFile("development.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(content), "```") {
		if i%2 == 1 {
			blocks = append(blocks, part)
		} else {
			text += part
		}
	}
	return text, blocks
}

// sources are the Go files of the repository, by path.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		text, err := os.ReadFile(name)
		found[strings.TrimPrefix(filepath.ToSlash(name), root+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFilesAndNamesExist(t *testing.T) {
	t.Parallel()
	text, _ := page(t)
	names, words := map[string]bool{}, map[string]bool{}
	for name, source := range sources(t) {
		if strings.HasPrefix(name, "docs/") {
			continue
		}
		names[path.Base(name)] = true
		for _, word := range wordOf.FindAllString(source, -1) {
			words[word] = true
		}
	}
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		switch name := strings.TrimSuffix(match[1], "/..."); {
		case file.MatchString(name) && !strings.Contains(name, "/"):
			if !names[name] {
				t.Errorf("no file is named %s", name)
			}
		case file.MatchString(name):
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
		case identifier.MatchString(name) && upper.MatchString(name) && name != "PROJECT":
			for word := range strings.SplitSeq(name, ".") {
				if !words[word] {
					t.Errorf("nothing in the sources is named %s, of %s", word, name)
				}
			}
		}
	}
}

func TestEveryStopOfTheDiagramsIsAFunctionOfItsFile(t *testing.T) {
	t.Parallel()
	_, blocks := page(t)
	files, stops := sources(t), 0
	for _, match := range stop.FindAllStringSubmatch(strings.Join(blocks, ""), -1) {
		stops++
		receiver, name, isMethod := strings.Cut(match[2], ".")
		declaration := `(?m)^func ` + receiver + `[\[(]`
		if isMethod {
			declaration = `(?m)^func \((\w+ )?\*?` + receiver + `(\[\w+\])?\) ` + name + `\(`
		}
		if !regexp.MustCompile(declaration).MatchString(files[match[1]]) {
			t.Errorf("%s has no function %s", match[1], match[2])
		}
	}
	if stops < 30 {
		t.Errorf("%d stops were found in the diagrams", stops)
	}
}
