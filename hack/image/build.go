package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// build returns the executable file of the command for a platform.
func build(ctx context.Context, o options, platform *v1.Platform) ([]byte, error) {
	if o.binary != "" {
		return os.ReadFile(o.binary)
	}
	dir, err := os.MkdirTemp("", "ssm-access-image-")
	if err != nil {
		return nil, fmt.Errorf("create a directory to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, o.command)
	cmd := exec.CommandContext(ctx, "go", "build", "-C", o.checkout, "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+o.version, "-o", file, "./cmd/"+o.command)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+platform.OS, "GOARCH="+platform.Architecture)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, text)
	}
	return os.ReadFile(file)
}
