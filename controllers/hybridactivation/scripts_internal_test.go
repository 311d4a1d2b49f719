package hybridactivation

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

func FuzzShellQuoteIsOneWord(f *testing.F) {
	for _, text := range []string{"", "abc", "it's", `$(id) "x" \ ` + "`id`", "a\nb", "''"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			t.Skip("no argument holds a NUL")
		}
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "printf %s "+shellQuote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q, %v", text, out, err)
		}
	})
}

func FuzzPowerShellQuoteIsOneString(f *testing.F) {
	for _, text := range []string{"", "abc", "it's", "‘x’", "‚‛", "$x `n", "''"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, rest := readPowerShell(powerShellQuote(text)); got != text || rest != "" {
			t.Errorf("%q reads as %q, then %q", text, got, rest)
		}
	})
}

// readPowerShell reads a string in single quotes as PowerShell does: any of its
// quotes ends it, unless it is followed by another.
func readPowerShell(source string) (text, rest string) {
	const quotes = "'‘’‚‛"
	runes := []rune(source)
	for i := 1; i < len(runes); i++ {
		if !strings.ContainsRune(quotes, runes[i]) {
			text += string(runes[i])
			continue
		}
		if i+1 == len(runes) || !strings.ContainsRune(quotes, runes[i+1]) {
			return text, string(runes[i+1:])
		}
		text += string(runes[i])
		i++
	}
	return text, "no end"
}

func TestScriptsRegisterWithTheValuesOfTheSecret(t *testing.T) {
	r := registration{ID: "0a1b2c3d-0000-4000-8000-000000000001", Code: cloud.NewActivationCode("it's a/code+="), Region: "ap-northeast-1"}
	if err := exec.CommandContext(t.Context(), "/bin/sh", "-n", "-c", linuxScript(r)).Run(); err != nil {
		t.Error("the shell cannot read the script:", err)
	}
	// What stands for the agent prints what it was called with.
	dir := t.TempDir()
	for name, body := range map[string]string{"systemctl": ":", "amazon-ssm-agent": `printf '%s\n' "$@"`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", linuxScript(r)).Output()
	want := "-register\n-y\n-code\n" + r.Code.Reveal() + "\n-id\n" + r.ID + "\n-region\n" + r.Region + "\n"
	if err != nil || string(out) != want {
		t.Errorf("the agent was called with %q, %v", out, err)
	}
	windows := windowsScript(r)
	for _, part := range []string{"$activationCode = 'it''s a/code+='\r\n", "$activationId = '" + r.ID + "'\r\n", "$region = 'ap-northeast-1'\r\n"} {
		if !strings.Contains(windows, part) {
			t.Errorf("the script for Windows lacks %q", part)
		}
	}
}
