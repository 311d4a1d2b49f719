package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--nonsense"},
		{"extra"},
		{"--tls-cert", "x"},
		{"--tls-key", "x"},
		{"--consistency-delay", "-1s"},
		{"--consistency-delay", "30"},
		{"--tls-cert", "x", "--tls-key", "y", "--tls-self-signed", "z"},
	} {
		var out bytes.Buffer
		if _, err := parseFlags(args, &out); err == nil {
			t.Errorf("%v is taken", args)
		} else if out.Len() == 0 {
			t.Errorf("%v is refused without a word", args)
		}
	}
}

func TestHelpSpeaksInSentences(t *testing.T) {
	var out bytes.Buffer
	if _, err := parseFlags([]string{"--help"}, &out); err == nil {
		t.Fatal("help goes on to serve")
	}
	for _, want := range []string{"-listen HOST:PORT", "-fixture FILE", "-evaluate-iam", "-consistency-delay", "AWS_ENDPOINT_URL", "-tls-self-signed FILE"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help does not speak of %s", want)
		}
	}
}

// begin runs the command until the test ends and returns the URL it prints.
func begin(t *testing.T, args ...string) string {
	t.Helper()
	c, err := parseFlags(append([]string{"--listen", "127.0.0.1:0"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, c, writer)
		writer.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the command ends with %v", err)
		}
	})
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestCommandServesUntilItIsToldToStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.yaml")
	if err := os.WriteFile(file, []byte(`accounts: [{id: "111122223333"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(begin(t, "--fixture", file) + "/_emulator/health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(body, []byte("111122223333")) {
		t.Fatalf("the health is %s (%v)", body, err)
	}
}

func TestSelfSignedCertificateIsWrittenForClients(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	url := begin(t, "--tls-self-signed", file)
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	response, err := client.Get(url + "/_emulator/health")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if !strings.HasPrefix(url, "https://") || response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s", url, response.Status)
	}
}

func TestBrokenFixtureIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.yaml")
	for text, want := range map[string]string{
		`accounts: [{id: "1"}]`: "twelve digits", `acounts: []`: "acounts", `accounts: [{id: "111122223333", users: [{name: u, attached: [none]}]}]`: "none",
		`accounts: [{id: "111122223333", quotas: {Nonsense: 1}}]`: "Nonsense", `accounts: [{id: "111122223333"}, {id: "111122223333"}]`: "twice",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), config{listen: "127.0.0.1:0", fixture: file}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the fixture %s is answered by %v", text, err)
		}
	}
}
