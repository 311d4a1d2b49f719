package assets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// site is a download site with an index of archives.
type site struct {
	url     string
	content []byte
	index   strings.Builder
}

// newSite starts a site whose archives hold etcd, kube-apiserver and kubectl, and
// names its index in the environment.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{content: archive(t, Etcd, APIServer, Kubectl)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "releases:\n"+s.index.String())
	})
	mux.HandleFunc("GET /archives/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.content) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	t.Setenv(EnvIndex, s.url+"/index.yaml")
	return s
}

// offer adds an archive to the index.
func (s *site) offer(version, platform string) {
	sum := sha512.Sum512(s.content)
	name := fmt.Sprintf("envtest-%s-%s.tar.gz", version, platform)
	fmt.Fprintf(&s.index, "  %s:\n    %s:\n      hash: %s\n      selfLink: %s/archives/%s\n",
		version, name, hex.EncodeToString(sum[:]), s.url, name)
}

// archive returns a compressed archive with a program for each name.
func archive(t *testing.T, names ...string) []byte {
	t.Helper()
	var content bytes.Buffer
	compressed := gzip.NewWriter(&content)
	files := tar.NewWriter(compressed)
	for _, name := range names {
		program := []byte("downloaded " + name)
		header := &tar.Header{Name: "controller-tools/envtest/" + name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(program))}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write(program); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []func() error{files.Close, compressed.Close} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	return content.Bytes()
}

var thisPlatform = runtime.GOOS + "-" + runtime.GOARCH

// fakeGo puts a go command in front of the PATH that makes what it is asked to
// build, from nothing, and returns which packages it was asked for. The PATH has
// the system's programs otherwise, and kubectl only if a test puts it there.
func fakeGo(t *testing.T) (bin string, compiled func() []string) {
	t.Helper()
	bin = t.TempDir()
	list := filepath.Join(t.TempDir(), "compiled")
	writeProgram(t, filepath.Join(bin, "go"), `while [ "$1" != "-o" ]; do shift; done
out=$2
shift 2
for package; do
	case "$package" in
	-*) ;;
	*/v3) echo "$package" >>"`+list+`"; : >"$out/server"; chmod +x "$out/server" ;;
	*) echo "$package" >>"`+list+`"; : >"$out/${package##*/}"; chmod +x "$out/${package##*/}" ;;
	esac
done
`)
	system := t.TempDir()
	for _, name := range []string{"chmod", "sh"} {
		if err := os.Symlink("/bin/"+name, filepath.Join(system, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+system)
	return bin, func() []string {
		content, err := os.ReadFile(list)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Fields(string(content))
	}
}

func writeProgram(t *testing.T, path, script string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// fill fills a directory as for a checkout that pins v1.37.2, and returns it and
// what was reported.
func fill(t *testing.T) (dir, report string) {
	t.Helper()
	b, err := newBuild(checkout(t, "v1.37.2", ""))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	var progress strings.Builder
	if err := b.fill(t.Context(), dir, &progress); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
	return dir, progress.String()
}

// everything lists what is compiled where nothing can be downloaded.
func everything() []string {
	return []string{packages[Etcd], packages[APIServer], packages[Controllers], packages[Kubectl]}
}

func TestWhatCanBeDownloadedIsNotCompiled(t *testing.T) {
	_, compiled := fakeGo(t)
	s := newSite(t)
	s.offer("v1.36.9", thisPlatform)
	s.offer("v1.37.0", thisPlatform)
	s.offer("v1.37.1", thisPlatform)
	s.offer("v1.37.3", "plan9-mips")
	s.offer("v1.38.0", thisPlatform)

	dir, report := fill(t)
	if got, want := compiled(), []string{packages[Controllers]}; !slices.Equal(got, want) {
		t.Errorf("compiled %q, want %q", got, want)
	}
	for _, name := range []string{Etcd, APIServer, Kubectl} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(content) != "downloaded "+name {
			t.Errorf("%s is %q, %v", name, content, err)
		}
	}
	if strings.Count(report, "\n") != 1 || !strings.Contains(report, "downloading Kubernetes 1.37.1 ") {
		t.Errorf("got %q, want one line that names the newest patch release of 1.37", report)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(Names()) {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func TestWithoutDownloadsEverythingIsCompiled(t *testing.T) {
	for name, offer := range map[string]func(s *site){
		"the site has no index":          func(s *site) { s.url += "/nowhere"; t.Setenv(EnvIndex, s.url) },
		"no archive of the version":      func(s *site) { s.offer("v1.36.9", thisPlatform) },
		"no archive of the platform":     func(s *site) { s.offer("v1.37.1", "plan9-mips") },
		"the archive is another":         func(s *site) { s.offer("v1.37.1", thisPlatform); s.content = archive(t, Etcd) },
		"the archive is no archive":      func(s *site) { s.content = []byte("moved"); s.offer("v1.37.1", thisPlatform) },
		"the archive is cut short":       func(s *site) { s.content = s.content[:100]; s.offer("v1.37.1", thisPlatform) },
		"the index is not what it seems": func(s *site) { s.index.WriteString("  v1.37.1: [") },
	} {
		t.Run(name, func(t *testing.T) {
			_, compiled := fakeGo(t)
			offer(newSite(t))
			dir, report := fill(t)
			if got := compiled(); !slices.Equal(got, everything()) {
				t.Errorf("compiled %q, want %q", got, everything())
			}
			if !strings.Contains(report, "compiling etcd, kube-apiserver, cluster-controllers, kubectl of Kubernetes v1.37.2") ||
				!strings.Contains(report, "nothing can be downloaded: ") {
				t.Errorf("got %q, want a line that says what is compiled, and why", report)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(Names()) {
				t.Errorf("the directory holds %v, %v", entries, err)
			}
		})
	}
}

func TestSupportedKubectlOfThePathIsNotCompiled(t *testing.T) {
	answer := `echo '{"clientVersion": {"gitVersion": "%s"}}'`
	for name, c := range map[string]struct {
		script string
		used   bool
	}{
		"of the same version":      {fmt.Sprintf(answer, "v1.37.2"), true},
		"one minor version older":  {fmt.Sprintf(answer, "v1.36.0-gke.100"), true},
		"one minor version newer":  {fmt.Sprintf(answer, "v1.38.1"), true},
		"two minor versions older": {fmt.Sprintf(answer, "v1.35.9"), false},
		"two minor versions newer": {fmt.Sprintf(answer, "v1.39.0"), false},
		"of another major version": {fmt.Sprintf(answer, "v2.37.0"), false},
		"without a version":        {fmt.Sprintf(answer, ""), false},
		"that answers otherwise":   {"echo no", false},
		"that fails":               {"exit 1", false},
	} {
		t.Run(name, func(t *testing.T) {
			bin, compiled := fakeGo(t)
			newSite(t)
			writeProgram(t, filepath.Join(bin, Kubectl), c.script+"\n")
			dir, _ := fill(t)
			if got := !slices.Contains(compiled(), packages[Kubectl]); got != c.used {
				t.Errorf("used: %t, want %t", got, c.used)
			}
			content, err := os.ReadFile(filepath.Join(dir, Kubectl))
			if err != nil || strings.Contains(string(content), c.script) != c.used {
				t.Errorf("kubectl is %q, %v", content, err)
			}
		})
	}
}
