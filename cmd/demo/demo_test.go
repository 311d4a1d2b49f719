package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
}

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
