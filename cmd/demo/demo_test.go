package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// manager is the operator's binary, built once.
var manager string

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	os.Exit(withManager(m))
}

func withManager(m *testing.M) int {
	directory, err := os.MkdirTemp("", "demo-test-")
	if err == nil {
		defer os.RemoveAll(directory)
		manager = filepath.Join(directory, "manager")
		err = testenv.BuildManager(context.Background(), manager)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestDemoShowsEveryCellAsDeclared(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), options{manager: manager, directory: t.TempDir()}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, shown := range []string{
		"user01   AccessDenied   AccessDenied",
		"user01   session opens   AccessDenied",
		"$ kubectl apply -k config/samples/s1",
		`"Action": "ssm:StartSession"`,
		"$ id -un\nssm-user\n$ hostname\nPC01\n",
		"Exiting session with sessionId: user01-",
		"user02   AccessDenied   session opens",
		"user01 on PC01, --document-name SessionManager-Logged   session opens",
		"user01 on PC01                                          AccessDenied",
		"register-linux.sh",
		"refused for the instances tier",
		"5.004",
		"has no endpoint for ssmmessages",
		"hybrid nodes        0",
		"instances tier      standard",
		"Every cell is as declared.",
	} {
		if !strings.Contains(out.String(), shown) {
			t.Errorf("the demo does not show %q:\n%s", shown, out.String())
		}
	}
	expectPicture(t, out.String())
}

// volatile is what differs from run to run in a line of a table: ages and counts.
var volatile = regexp.MustCompile(`\b(\d+s|\d+/\d+|\d{1,4})\b`)

// expectPicture checks that docs/demo.svg, which "make picture" draws, still shows what the
// demo prints.
func expectPicture(t *testing.T, printed string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	var picture struct {
		Lines []struct {
			Text string `xml:",innerxml"`
		} `xml:"text"`
	}
	if err := xml.Unmarshal(text, &picture); err != nil {
		t.Fatal(err)
	}
	plain := func(s string) string { return strings.Join(strings.Fields(volatile.ReplaceAllString(s, "")), " ") }
	printed = plain(printed)
	for _, line := range picture.Lines {
		shown := plain(html.UnescapeString(tags.ReplaceAllString(line.Text, "")))
		if !strings.Contains(printed, shown) {
			t.Errorf("docs/demo.svg shows %q, which the demo does not print; run \"make picture\"", shown)
		}
	}
	if len(picture.Lines) == 0 {
		t.Error("docs/demo.svg shows nothing")
	}
}

// tags are those that color a line of the picture.
var tags = regexp.MustCompile("<[^>]*>")

func TestPlaygroundRunsUntilItIsInterrupted(t *testing.T) {
	directory := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	file := filepath.Join(directory, "playground.env")
	written := false
	out := writerFunc(func(text string) {
		if strings.HasPrefix(text, "Everything runs") {
			_, err := os.Stat(file)
			written = err == nil
			interrupt()
		}
	})
	if err := run(ctx, options{manager: manager, directory: directory, playground: true}, out); err != nil {
		t.Error(err)
	}
	if !written {
		t.Error("there was no file to source while it ran")
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file to source is left behind: %v", err)
	}
}

func TestDemoEndsWhenTheOperatorDoes(t *testing.T) {
	failing := filepath.Join(t.TempDir(), "manager")
	if err := os.WriteFile(failing, []byte("#!/bin/sh\necho no luck\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	err := run(t.Context(), options{manager: failing, directory: directory}, &bytes.Buffer{})
	if !errors.Is(err, errOperatorEnded) || !strings.Contains(err.Error(), directory) {
		t.Errorf("got %v, want an error that tells where the log is", err)
	}
	if log, _ := os.ReadFile(filepath.Join(directory, "demo-manager.log")); string(log) != "no luck\n" {
		t.Errorf("the log holds %q", log)
	}
}

func TestMissingBinaryIsNamed(t *testing.T) {
	err := run(t.Context(), options{manager: "nowhere/manager", directory: t.TempDir()}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "nowhere/manager") || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v, want what is missing and how to get it", err)
	}
}

// writerFunc receives everything that is written.
type writerFunc func(string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}
