package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName    = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	declaration = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// declaredTests are the names of the tests of the repository.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := map[string]bool{}
	for name, source := range sources(t) {
		if strings.HasSuffix(name, "_test.go") {
			for _, match := range declaration.FindAllStringSubmatch(source, -1) {
				declared[match[1]] = true
			}
		}
	}
	return declared
}

func TestEveryTestThatAPageNamesExists(t *testing.T) {
	t.Parallel()
	declared := declaredTests(t)
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range testName.FindAllStringSubmatch(string(text), -1) {
			if !declared[match[1]] {
				t.Errorf("%s names %s, and there is no such test", page, match[1])
			}
		}
	}
}

// Each row of docs/aws.md has a behaviour, a version or a date, a source and a test.
func TestEveryBehaviourOfAWSHasASourceAndATest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("aws.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| behaviour |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 4 {
			t.Errorf("this row has %d cells: %s", len(cells), line)
			continue
		}
		for _, cell := range cells {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("a cell is empty: %s", line)
			}
		}
		if !regexp.MustCompile(`\d`).MatchString(cells[1]) {
			t.Errorf("%q is neither a version nor a date: %s", cells[1], line)
		}
		if !testName.MatchString(cells[3]) {
			t.Errorf("no test is named: %s", line)
		}
	}
	if rows < 25 {
		t.Errorf("the page has %d rows, want at least 25", rows)
	}
}
