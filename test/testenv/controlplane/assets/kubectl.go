package assets

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// kubectlLimit bounds the question which version a kubectl is.
const kubectlLimit = 10 * time.Second

// takeKubectl puts the kubectl of the PATH into dir if Kubernetes supports it
// with an API server of this build: its minor version is at most one away. An
// error says why there is none. It takes a copy, as what is on the PATH may
// change, and asks the copy: a script or a link to a launcher fails there.
func (b *build) takeKubectl(ctx context.Context, dir string) error {
	path, err := exec.LookPath(Kubectl)
	if err != nil {
		return err
	}
	target := filepath.Join(dir, Kubectl)
	if err := copyProgram(path, target); err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	if err := b.checkKubectl(ctx, target); err != nil {
		_ = os.Remove(target) // Compiling writes over it.
		return fmt.Errorf("use %s: %w", path, err)
	}
	return nil
}

var gitVersion = regexp.MustCompile(`^v(\d+)\.(\d+)\.`)

// checkKubectl returns nil when the kubectl at path runs and is supported.
func (b *build) checkKubectl(ctx context.Context, path string) error {
	out, err := b.run(ctx, kubectlLimit, path, "version", "--client", "-o", "json")
	if err != nil {
		return err
	}
	var answer struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return fmt.Errorf("read its version: %w", err)
	}
	version := answer.ClientVersion.GitVersion
	match := gitVersion.FindStringSubmatch(version)
	if match == nil {
		return fmt.Errorf("its version is %q", version)
	}
	minor, err := strconv.Atoi(match[2])
	if err != nil || match[1] != strconv.Itoa(b.major) || minor < b.minor-1 || minor > b.minor+1 {
		return fmt.Errorf("it is %s, and Kubernetes %d.%d supports one minor version more or less", version, b.major, b.minor)
	}
	return nil
}

// copyProgram writes the program at from to a file at to.
func copyProgram(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}
