// Package image_test checks the image that hack/image assembles: that it is what its bill
// of materials says, and that the manager runs in it as the image's user.
package image_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

var cluster *testenv.Cluster

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, &cluster)) }

// toolVariable names the program of hack/image, which "make test" builds.
const toolVariable = "IMAGE_TOOL"

// nonroot is the image's user.
const nonroot = 65532

// assemble builds the image of the manager for this platform, and returns its layout and
// the digest that the tool prints.
func assemble(t *testing.T, manager string) (layout, string) {
	t.Helper()
	tool := os.Getenv(toolVariable)
	if _, err := os.Stat(tool); tool == "" || err != nil {
		t.Skipf("%s names no program; \"make test\" builds it and sets it", toolVariable)
	}
	dir := filepath.Join(t.TempDir(), "layout")
	out, err := exec.CommandContext(t.Context(), tool, "--binary", manager, "--platforms", "linux/"+runtime.GOARCH,
		"--version", "v1.2.3", "--created", "1700000000", "--output", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return layout{T: t, dir: dir}, strings.TrimSpace(string(out))
}

func buildManager(t *testing.T) string {
	t.Helper()
	manager := filepath.Join(t.TempDir(), "manager")
	if err := testenv.BuildManager(t.Context(), manager); err != nil {
		t.Fatal(err)
	}
	return manager
}

func TestImageIsReproducibleAndWhatItsBillOfMaterialsSays(t *testing.T) {
	t.Parallel()
	manager := buildManager(t)
	l, digest := assemble(t, manager)
	if _, again := assemble(t, manager); again != digest {
		t.Errorf("the same sources give %s and %s", digest, again)
	}
	image, _, artifact := l.image("linux", runtime.GOARCH)
	root := t.TempDir()
	l.unpack(image, root)

	var listed struct {
		Files []struct {
			FileName  string
			Checksums []struct{ Algorithm, ChecksumValue string }
		}
		Packages []struct{ Name, VersionInfo string }
	}
	l.read(artifact.Layers[0].Digest, &listed)
	said := map[string]string{}
	for _, file := range listed.Files {
		for _, sum := range file.Checksums {
			if sum.Algorithm == "SHA256" {
				said[file.FileName] = sum.ChecksumValue
			}
		}
	}
	if there := hashes(t, root); !maps.Equal(there, said) {
		t.Errorf("the image holds %v, and its bill of materials lists %v", there, said)
	}
	versions := map[string]string{}
	for _, one := range listed.Packages {
		versions[one.Name] = one.VersionInfo
	}
	info, err := buildinfo.ReadFile(filepath.Join(root, "manager"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range info.Deps {
		if versions[dependency.Path] != dependency.Version {
			t.Errorf("the manager holds %s %s, and its bill of materials says %q", dependency.Path, dependency.Version, versions[dependency.Path])
		}
	}
	roots, err := os.ReadFile(filepath.Join(root, "etc", "ssl", "certs", "ca-certificates.crt"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(roots) || !strings.HasPrefix(versions["golang.org/x/crypto/x509roots/fallback"], "v") {
		t.Errorf("there are no CA roots, or nothing says where they are from: %v", err)
	}
}

// hashes are the SHA-256 of all files below root.
func hashes(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(content)
		found[strings.TrimPrefix(path, root)] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestManagerRunsInTheImageAsItsUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory and the user of a process")
	}
	l, _ := assemble(t, buildManager(t))
	image, _, _ := l.image("linux", runtime.GOARCH)
	var said config
	l.read(image.Config.Digest, &said)
	if said.Config.User != "65532:65532" || !slices.Equal(said.Config.Entrypoint, []string{"/manager"}) || said.OS != "linux" {
		t.Errorf("the image is configured as %+v", said)
	}
	root := t.TempDir()
	l.unpack(image, root)
	e := testenv.New(t, testenv.Options{Cluster: cluster})
	kubeconfig(t, e, filepath.Join(root, "tmp", "kubeconfig"))

	cmd := exec.CommandContext(t.Context(), said.Config.Entrypoint[0], "--health-probe-bind-address=127.0.0.1:0")
	cmd.Dir = "/"
	cmd.Env = slices.DeleteFunc(e.Environ(e.Operator()), func(entry string) bool {
		return !strings.HasPrefix(entry, "AWS_")
	})
	cmd.Env = append(cmd.Env, "KUBECONFIG=/tmp/kubeconfig")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}}
	ready(t, cmd)
}

// kubeconfig writes a file with which the image's user is the operator.
func kubeconfig(t *testing.T, e *testenv.Env, path string) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(e.KubeconfigPath)
	if err != nil {
		t.Fatal(err)
	}
	operator := e.OperatorConfig().Impersonate
	for _, user := range config.AuthInfos {
		user.Impersonate, user.ImpersonateGroups = operator.UserName, operator.Groups
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, nonroot, nonroot); err != nil {
		t.Fatal(err)
	}
}

var probes = regexp.MustCompile(`"msg":"starting server".*"name":"health probe","addr":"([^"]+)"`)

// ready runs a manager until /readyz succeeds, and ends it in order.
func ready(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	lines, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	var log []string
	scanner := bufio.NewScanner(lines)
	for address == "" && scanner.Scan() {
		log = append(log, scanner.Text())
		if match := probes.FindStringSubmatch(scanner.Text()); match != nil {
			address = match[1]
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines) // It ends with the process.
	}()
	if address == "" {
		<-drained
		t.Fatalf("the manager ended with %v and printed\n%s", cmd.Wait(), strings.Join(log, "\n"))
	}
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, testenv.Patience, true, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil // It does not listen yet.
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK, nil
	})
	if err != nil {
		t.Errorf("/readyz does not succeed: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-drained
	if err := cmd.Wait(); err != nil {
		t.Errorf("the manager ended with %v", err)
	}
}
