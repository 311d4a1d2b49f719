package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPictureHoldsTheLinesThatAreAskedFor(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "picture.svg")
	printed := "before\nFirst line:\n$ kubectl get <name>\nlong\n}\n\nuser01   AccessDenied\nLast line.\nafter\n"
	args := []string{"--output", file, "--from", "First", "--until", "Last", "--cut", "long|user01", "--", "printf", "%s", printed}
	if err := run(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shown(t, string(text)), "First line:|$ kubectl get <name>|user01   AccessDenied"; got != want {
		t.Errorf("the picture shows %q, want %q", got, want)
	}
}

func TestSentencesAreWrappedAndTablesAreNot(t *testing.T) {
	t.Parallel()
	sentence, table := strings.TrimSpace(strings.Repeat("word ", 50))+".", strings.Repeat("column   ", 20)
	wrapped := wrap([]line{{text: sentence, after: time.Second}, {text: table}, {}})
	var texts []string
	for _, l := range wrapped[:len(wrapped)-1] {
		texts = append(texts, l.text)
	}
	if got := strings.Join(texts, " "); got != sentence || len(wrapped) != 4 || wrapped[3].text != table || wrapped[1].after != 0 {
		t.Errorf("got %+v", wrapped)
	}
}

func TestTextThatIsNotPrintedIsAnError(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"--output", filepath.Join(t.TempDir(), "picture.svg"), "--from", "absent", "--", "echo", "present"})
	if err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("got %v", err)
	}
}

// shown is what a picture shows, a bar between any two lines. It must be well-formed.
func shown(t *testing.T, svg string) string {
	t.Helper()
	var lines []string
	decoder, inText := xml.NewDecoder(strings.NewReader(svg)), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, "|")
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "text" {
				lines = append(lines, "")
			}
			if token.Name.Local == "text" || inText > 0 {
				inText++
			}
		case xml.EndElement:
			inText = max(0, inText-1)
		case xml.CharData:
			if inText > 0 {
				lines[len(lines)-1] += string(token)
			}
		}
	}
}
