package manifest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Object is an object of a manifest, and where it stands.
type Object struct {
	*unstructured.Unstructured
	// File is the path of the file, "-" for standard input.
	File string
	// root is the object's node; nil where no line is known.
	root *yaml.Node
}

// String names an object as in "SessionAccess team-a/user01-pc01".
func (o *Object) String() string {
	name := o.GetName()
	if name == "" {
		name = o.GetGenerateName() + "(no name)"
	}
	if namespace := o.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return o.GetKind() + " " + name
}

// Where is the file and line of an object, as compilers print it.
func (o *Object) Where() string { return where(o.File, o.line("")) }

func where(file string, line int) string {
	if line > 0 {
		return fmt.Sprintf("%s:%d", file, line)
	}
	return file
}

// Problem is why an object, or a file, is not accepted.
type Problem struct {
	// File and Line say where, as far as that is known: "" and 0 where it is not.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Object names the object; "" for a file that cannot be read.
	Object string `json:"object,omitempty"`
	// Field is the path of the field, such as spec.targets[0].tags; "" for the whole.
	Field string `json:"field,omitempty"`
	// Reason is that of condition Ready with which the operator would refuse the object; ""
	// where the API server rejects it.
	Reason string `json:"reason,omitempty"`
	// Message says what is wrong.
	Message string `json:"message"`
}

// ByPlace orders problems by file and line.
func ByPlace(a, b *Problem) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}

// String is a line as compilers print it.
func (p *Problem) String() string {
	var text strings.Builder
	if p.File != "" {
		text.WriteString(where(p.File, p.Line) + ": ")
	}
	if p.Object != "" {
		text.WriteString(p.Object + ": ")
	}
	if p.Field != "" {
		text.WriteString(p.Field + ": ")
	}
	if p.Reason != "" {
		text.WriteString(p.Reason + ": ")
	}
	text.WriteString(p.Message)
	return text.String()
}

// Problem is a problem of a field of the object. path is as field.Path prints it; "" is
// the object itself.
func (o *Object) Problem(path, message string) *Problem {
	return &Problem{File: o.File, Line: o.line(path), Object: o.String(), Field: path, Message: message}
}

// line is the line of a field, or of the nearest field around it that is in the file.
func (o *Object) line(path string) int {
	if o.root == nil {
		return 0
	}
	node, line := o.root, o.root.Line
	for _, step := range steps(path) {
		key, value := child(node, step)
		if value == nil {
			break
		}
		node, line = value, value.Line
		if key != nil {
			line = key.Line
		}
	}
	return line
}

// child is what a step leads to, with its key where it has one.
func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return nil, node.Content[i]
		}
	default: // A scalar has nothing below it.
	}
	return nil, nil
}

// steps takes a path apart: names between dots, and what stands in brackets.
func steps(path string) []string {
	var all []string
	for path != "" {
		if rest, ok := strings.CutPrefix(path, "["); ok {
			inside, after, _ := strings.Cut(rest, "]")
			all = append(all, strings.Trim(inside, `"'`))
			path = strings.TrimPrefix(after, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(all, path)
		}
		all = append(all, path[:end])
		path = strings.TrimPrefix(path[end:], ".")
	}
	return all
}
