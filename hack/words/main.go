// Command words counts, in the comments of the Go sources and in the documentation,
// the phrases of hack/words.txt that make texts hard to read, and the field's own
// terms of hack/terms.txt. With -list it prints where each phrase is, and with -most it
// fails where there are more phrases for each 10,000 words.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

func main() {
	list := flag.Bool("list", false, "print where each phrase is")
	most := flag.Float64("most", math.Inf(1), "fail where there are more phrases for each 10,000 words")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *list, *most); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, list bool, most float64) error {
	phrases, err := readPhrases(filepath.Join("hack", "words.txt"))
	if err != nil {
		return err
	}
	terms, err := readPhrases(filepath.Join("hack", "terms.txt"))
	if err != nil {
		return err
	}
	files, err := exec.CommandContext(ctx, "git", "ls-files", "*.go", "*.md").Output()
	if err != nil {
		return fmt.Errorf("list the files: %w", err)
	}
	comments, docs := count{name: "comments"}, count{name: "docs"}
	for file := range strings.FieldsSeq(string(files)) {
		into, read := &docs, readText
		if filepath.Ext(file) == ".go" {
			into, read = &comments, readComments
		}
		lines, err := read(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // It was deleted, and that is not committed yet.
		}
		if err != nil {
			return err
		}
		for _, l := range lines {
			found := into.add(l.text, phrases, terms)
			if list && len(found) > 0 {
				fmt.Fprintf(out, "%s:%d: %s\n", file, l.number, strings.Join(found, ", "))
			}
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "in\twords\tphrases\tper 10,000\tterms\tper 10,000\t")
	for _, c := range []count{comments, docs} {
		fmt.Fprintf(table, "%s\t%d\t%d\t%.1f\t%d\t%.0f\t\n", c.name, c.words, c.phrases, c.rate(c.phrases), c.terms, c.rate(c.terms))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range []count{comments, docs} {
		if c.rate(c.phrases) > most {
			return fmt.Errorf("there are more than %v phrases of hack/words.txt for each 10,000 words of %s; \"make words WORDS_FLAGS=-list\" shows where", most, c.name)
		}
	}
	return nil
}

// line is a piece of text and where it is.
type line struct {
	number int
	text   string
}

// readComments returns the comments of a Go source that a person wrote, line by line.
func readComments(path string) ([]line, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read the comments: %w", err)
	}
	var lines []line
	for _, group := range file.Comments {
		if strings.HasPrefix(group.List[0].Text, "// Code generated") {
			return nil, nil
		}
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:") || strings.HasPrefix(c.Text, "// +") {
				continue // It is for a program.
			}
			first := fset.Position(c.Pos()).Line
			for i, text := range strings.Split(c.Text, "\n") {
				lines = append(lines, line{first + i, strings.TrimLeft(text, "/* \t")})
			}
		}
	}
	return lines, nil
}

func readText(path string) ([]line, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lines []line
	for i, l := range strings.Split(string(text), "\n") {
		lines = append(lines, line{i + 1, l})
	}
	return lines, nil
}

// readPhrases reads a list of phrases, each as its words.
func readPhrases(path string) ([][]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a list of phrases: %w", err)
	}
	defer file.Close()
	var phrases [][]string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if text := scanner.Text(); text != "" && !strings.HasPrefix(text, "#") {
			phrases = append(phrases, wordsOf(text))
		}
	}
	return phrases, nil
}
