package hybridactivation

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// windowsSettings is what the script for Windows has from outside, but for its
// standard commands.
var windowsSettings = regexp.MustCompile(`(?m)^\$(data|agent|serviceKey|reportSeconds) = .*$`)

func windowsScriptOf(t *testing.T) string {
	t.Helper()
	script := windowsScript(registration{ID: "0a1b2c3d-0000-4000-8000-000000000001", Code: ssm.NewActivationCode("it's a/code+="), Region: "ap-northeast-1"})
	if n := len(windowsSettings.FindAllString(script, -1)); n != 4 {
		t.Fatalf("the script names %d settings at one place, want 4", n)
	}
	return script
}

// The order of the steps is what keeps a machine registered, and it is that of the
// script for Linux.
func TestTheWindowsScriptTakesItsStepsInOrder(t *testing.T) {
	script := windowsScriptOf(t)
	main := script[strings.LastIndex(script, "\r\ntry {\r\n"):]
	last := 0
	for _, step := range []string{
		"Test-Administrator", "Test-Path -LiteralPath $agent", "Lock-Run", "Restore-State", "Get-InstanceId $vault", "if ($old -and -not $Replace)",
		"Stop-Agent", "Save-State", "Register-Machine $old", "$script:keepRunning = $true", "Remove-Backup", "Start-Agent", "Wait-Report $new",
		"$script:exitCode = 0", "} finally {", "Complete-Run", "exit $script:exitCode",
	} {
		at := strings.Index(main[last:], step)
		if at < 0 {
			t.Fatalf("%s does not come after the step before it", step)
		}
		last += at + len(step)
	}
}

// Every exit code of a script is in its head and in the documentation.
func TestEveryExitCodeIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/hybridactivation.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{"Linux": linuxTemplate, "Windows": windowsTemplate} {
		head, body, _ := strings.Cut(script, "@activation_id@")
		codes := regexp.MustCompile(`(?:\bfail |Stop-Run |code=|exitCode = |'exit )(\d+)`).FindAllStringSubmatch(body, -1)
		if len(codes) < 8 {
			t.Fatalf("the script for %s has %d exit codes", name, len(codes))
		}
		for _, code := range codes {
			if !regexp.MustCompile(`(?m)^#.*\b` + code[1] + `\b`).MatchString(head) {
				t.Errorf("the head of the script for %s does not explain exit code %s", name, code[1])
			}
			if !regexp.MustCompile(`(?m)^\|[ \d,]*\b` + code[1] + `\b`).Match(page) {
				t.Errorf("docs/hybridactivation.md does not explain exit code %s", code[1])
			}
		}
	}
}

func TestPowerShellReadsTheWindowsScript(t *testing.T) {
	shell, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("PowerShell is not installed, and its parser with it")
	}
	file := filepath.Join(t.TempDir(), "register-windows.ps1")
	if err := os.WriteFile(file, []byte(windowsScriptOf(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), shell, "-NoProfile", "-NonInteractive", "-Command",
		`$errors = $null; [void][Management.Automation.Language.Parser]::ParseFile($env:SCRIPT, [ref]$null, [ref]$errors); $errors | ForEach-Object { "$_" }; exit $errors.Count`)
	cmd.Env = append(os.Environ(), "SCRIPT="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// windowsPrelude stands in for what only Windows has. Functions come before commands
// of the same name.
const windowsPrelude = `
function Get-Service { param($Name) [pscustomobject]@{ Status = $(if (Test-Path (Join-Path $env:T 'active')) { 'Running' } else { 'Stopped' }) } }
function Stop-Service { param($Name) Remove-Item -Force -ErrorAction SilentlyContinue (Join-Path $env:T 'active') }
function Get-Process { }
function Start-Service {
  param($Name)
  New-Item -Force -ItemType File (Join-Path $env:T 'active') | Out-Null
  $held = Get-Content -Raw (Join-Path $env:T 'InstanceData/Vault/Store/RegistrationKey') | ConvertFrom-Json
  New-Item -Force -ItemType Directory (Join-Path $env:T 'runtimeconfig') | Out-Null
  [IO.File]::WriteAllText((Join-Path $env:T 'runtimeconfig/identity_config.json'), ('{"InstanceId":"' + $held.instanceID + '","CredentialsExpiresAt":"2026-11-29T01:00:00Z"}'))
}
function Start-Sleep { }
function icacls.exe { $global:LASTEXITCODE = 0 }
function Get-ItemProperty { }
`

func TestPowerShellRunsTheWindowsScript(t *testing.T) {
	shell, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("PowerShell is not installed")
	}
	for name, c := range map[string]struct {
		stage     string
		arguments []string
		code      int
		node      string
	}{
		"registered already":    {"", nil, 0, oldNode},
		"replaced":              {"", []string{"-Replace"}, 0, newNode},
		"refused after a wipe":  {"wiped", []string{"-Replace"}, 6, oldNode},
		"refused before a wipe": {"start", []string{"-Replace"}, 6, oldNode},
		"a vault that is torn":  {"torn", []string{"-Replace"}, 6, oldNode},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, layouts[0])
			m.registered().happens(c.stage, "exit 1")
			m.must(os.Rename(m.path("state"), m.path("InstanceData")))
			m.must(os.Symlink(m.path("InstanceData"), m.path("state")))
			values := map[string]string{
				"data": "$env:T", "agent": "Join-Path $env:T 'usr/bin/amazon-ssm-agent'", "serviceKey": "'none'", "reportSeconds": "1",
			}
			text := windowsSettings.ReplaceAllStringFunc(windowsScriptOf(t), func(line string) string {
				key, _, _ := strings.Cut(strings.TrimPrefix(line, "$"), " ")
				return "$" + key + " = " + values[key] + "\r"
			})
			// Who is an administrator only Windows says.
			text = strings.Replace(text, "function Test-Administrator {", "function Test-Administrator { return $true", 1)
			m.write("script.ps1", strings.Replace(text, "$ErrorActionPreference = 'Stop'", windowsPrelude+"$ErrorActionPreference = 'Stop'", 1))
			cmd := exec.CommandContext(t.Context(), shell, append([]string{"-NoProfile", "-NonInteractive", "-File", m.path("script.ps1")}, c.arguments...)...)
			cmd.Env = append(os.Environ(), "T="+m.root)
			out, _ := cmd.CombinedOutput() // The exit code says how it ended.
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.node) {
				t.Errorf("it ended with code %d: %s", code, out)
			}
			if m.node() != c.node || !m.has("active") || m.has("InstanceData/ssm-access-backup") {
				t.Errorf("the machine is registered as %q, and its service runs: %t", m.node(), m.has("active"))
			}
		})
	}
}
