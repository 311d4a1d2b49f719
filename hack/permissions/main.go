// Command permissions writes the operator's AWS permissions, whose policy documents
// in config/iam are the only source, as a CloudFormation template and a Terraform module.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// directory holds the policy documents, and what is made from them.
const directory = "config/iam"

// always and optional are the documents for the role in a managed account, by the names
// of their files without "-policy.json". What is optional can be switched off.
var (
	always   = []string{"operator", "sessions"}
	optional = []string{"documents", "activations", "tier", "reachability"}
)

func main() {
	if err := run(directory); err != nil {
		fmt.Fprintln(os.Stderr, "permissions:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	p, err := read(dir)
	if err != nil {
		return err
	}
	for name, content := range map[string]any{
		"cloudformation.json":                      cloudFormation(p),
		filepath.Join("terraform", "main.tf.json"): terraform(p),
	} {
		if err := write(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}

// policies are the documents by name.
type policies map[string]any

func read(dir string) (policies, error) {
	p := policies{}
	files, err := filepath.Glob(filepath.Join(dir, "*-policy.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var document any
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		name := filepath.Base(file)
		p[name[:len(name)-len("-policy.json")]] = document
	}
	for _, name := range append(append([]string{"trust", "boundary"}, always...), optional...) {
		if p[name] == nil {
			return nil, fmt.Errorf("there is no %s-policy.json in %s", name, dir)
		}
	}
	return p, nil
}

// write writes JSON as a person would: policies hold no HTML.
func write(path string, content any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
