package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func nowhere(string) string { return "" }

func TestConnectSaysWhatIsMissing(t *testing.T) {
	for want, args := range map[string][]string{
		"--as USER":      {"--target", "i-1"},
		"--target NODE":  {"--as", "user01"},
		"NAME=VALUE":     {"--as", "user01", "--target", "i-1", "--parameter", "command"},
		"is not a flag":  {"--as", "user01", "--target", "i-1", "now"},
		"not defined":    {"--nonsense"},
		"-document-name": {"--help"},
	} {
		var out bytes.Buffer
		if _, err := parseConnect(args, nowhere, &out); err == nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v is answered by %v: %s", args, err, out.String())
		}
	}
}

func TestKeysOfAUserComeFromTheEnvironment(t *testing.T) {
	c := connection{user: "user-07"}
	keys, err := c.keys(func(name string) string { return name + "!" })
	if err != nil || keys.AccessKeyID != "USER_07_AWS_ACCESS_KEY_ID!" || keys.SecretAccessKey != "USER_07_AWS_SECRET_ACCESS_KEY!" {
		t.Errorf("got %+v (%v)", keys, err)
	}
	if _, err := c.keys(nowhere); err == nil || !strings.Contains(err.Error(), "USER_07_AWS_ACCESS_KEY_ID") {
		t.Errorf("a user without keys gets %v", err)
	}
}

func TestConnectOpensAShell(t *testing.T) {
	url := begin(t)
	var out bytes.Buffer
	c, err := parseConnect([]string{"--as", "user01", "--target", "i-051cac51072605f39", "--endpoint", url}, nowhere, &out)
	if err != nil {
		t.Fatal(err)
	}
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer typed.Close()
	if _, err := typed.WriteString("id -un\nexit\n"); err != nil {
		t.Fatal(err)
	}
	if err := connect(t.Context(), c, nowhere, in, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Starting session with SessionId: user01-", "$ id -un\r\nssm-user\r\n$ exit\r\n", "Exiting session with sessionId: user01-"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not shown:\n%s", want, out.String())
		}
	}
}
