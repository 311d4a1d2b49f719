package hybridactivation

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
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

func TestScriptsHoldTheValuesOfTheSecret(t *testing.T) {
	r := registration{ID: "@activation_code@", Code: ssm.NewActivationCode("it's a/code+=@region@"), Region: "ap-northeast-1"}
	for script, parts := range map[string][]string{
		linuxScript(r):   {"\nactivation_id='@activation_code@'\n", "\nactivation_code='it'\\''s a/code+=@region@'\n", "\nregion='ap-northeast-1'\n"},
		windowsScript(r): {"$activationId = '@activation_code@'\r\n", "$activationCode = 'it''s a/code+=@region@'\r\n", "$region = 'ap-northeast-1'\r\n"},
	} {
		for _, part := range parts {
			if strings.Count(script, part) != 1 {
				t.Errorf("the script does not have %q once", part)
			}
		}
	}
}
