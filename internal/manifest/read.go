package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	sigsyaml "sigs.k8s.io/yaml"
)

// Stdin is the name of standard input among paths.
const Stdin = "-"

// Content is what was read.
type Content struct {
	Objects []*Object
	// Problems are those of files and documents that are not manifests.
	Problems []*Problem
}

// Read reads manifests, in the order of the paths: a file; a directory with a
// kustomization, which is built; any other directory, whose files ending in .yaml, .yml
// and .json are read in order of name, those of its subdirectories too; or Stdin. An error
// is a path that cannot be read at all.
func Read(paths []string, stdin io.Reader) (*Content, error) {
	content := &Content{}
	for _, path := range paths {
		if err := content.readPath(path, stdin); err != nil {
			return nil, err
		}
	}
	return content, nil
}

func (c *Content) readPath(path string, stdin io.Reader) error {
	if path == Stdin {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		c.parse(Stdin, text)
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read manifests: %w", err)
	}
	if !info.IsDir() {
		return c.readFile(path)
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("read manifests: %w", err)
		case entry.IsDir() && name != path && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() && isKustomization(name):
			if err := c.build(name); err != nil {
				return err
			}
			return filepath.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			return nil
		}
		return c.readFile(name)
	})
}

func (c *Content) readFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read manifests: %w", err)
	}
	c.parse(path, text)
	return nil
}

// parse reads the documents of a file.
func (c *Content) parse(file string, text []byte) {
	line := 1
	for _, document := range documents(text) {
		c.parseDocument(file, line, document)
		line += bytes.Count(document, []byte("\n"))
	}
}

// documents splits a stream before each line that begins a YAML document. Together they
// are the stream.
func documents(text []byte) [][]byte {
	var all [][]byte
	begin := 0
	for at := 0; at < len(text); {
		end := at + bytes.IndexByte(text[at:], '\n') + 1
		if end == at {
			end = len(text)
		}
		if rest, ok := bytes.CutPrefix(text[at:end], []byte("---")); ok && (len(rest) == 0 || strings.ContainsRune(" \t\r\n#", rune(rest[0]))) && at > begin {
			all = append(all, text[begin:at])
			begin = at
		}
		at = end
	}
	return append(all, text[begin:])
}

// parseDocument reads a document that begins at a line. Comments alone are none.
func (c *Content) parseDocument(file string, line int, text []byte) {
	problem := func(err error) {
		at, message := position(err)
		c.Problems = append(c.Problems, &Problem{File: file, Line: line + max(at, 1) - 1, Message: message})
	}
	asJSON, err := sigsyaml.YAMLToJSONStrict(text)
	if err != nil {
		problem(err)
		return
	}
	var value any
	if err := utiljson.Unmarshal(asJSON, &value); err != nil {
		problem(err)
		return
	}
	if value == nil {
		return
	}
	fields, ok := value.(map[string]any)
	if !ok {
		problem(errors.New("is no Kubernetes object: it has no fields"))
		return
	}
	var document yaml.Node
	root := &yaml.Node{}
	if err := yaml.Unmarshal(text, &document); err == nil && len(document.Content) == 1 {
		root = document.Content[0]
		shift(root, line-1)
	}
	c.add(file, root, fields)
}

// add adds an object, or the items of a list.
func (c *Content) add(file string, root *yaml.Node, fields map[string]any) {
	object := &Object{Unstructured: &unstructured.Unstructured{Object: fields}, File: file, root: root}
	if object.GetKind() == "" || object.GetAPIVersion() == "" {
		c.Problems = append(c.Problems, &Problem{File: file, Line: root.Line, Message: "is no Kubernetes object: set apiVersion and kind"})
		return
	}
	items, ok := fields["items"].([]any)
	if !ok || !strings.HasSuffix(object.GetKind(), "List") {
		c.Objects = append(c.Objects, object)
		return
	}
	_, list := child(root, "items")
	for i, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			c.Problems = append(c.Problems, object.Problem(fmt.Sprintf("items[%d]", i), "is no Kubernetes object"))
			continue
		}
		node := root
		if list != nil {
			if _, value := child(list, strconv.Itoa(i)); value != nil {
				node = value
			}
		}
		c.add(file, node, fields)
	}
}

// shift moves the lines of a node and of all below it.
func shift(node *yaml.Node, lines int) {
	node.Line += lines
	for _, below := range node.Content {
		shift(below, lines)
	}
}

// lineOf is how the YAML libraries say where an error is.
var lineOf = regexp.MustCompile(`line (\d+): `)

// position takes the line from an error of the YAML libraries; 0 where it has none.
func position(err error) (line int, message string) {
	message = err.Error()
	for _, prefix := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:"} {
		message = strings.TrimSpace(strings.TrimPrefix(message, prefix))
	}
	if found := lineOf.FindStringSubmatchIndex(message); found != nil {
		line, _ = strconv.Atoi(message[found[2]:found[3]])
		message = message[:found[0]] + message[found[1]:]
	}
	return line, message
}
