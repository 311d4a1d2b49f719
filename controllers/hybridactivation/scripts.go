package hybridactivation

import (
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// registration is what a machine needs to register.
type registration struct {
	ID, Region string
	// Code is hidden until the Secret is rendered.
	Code cloud.ActivationCode
}

// linuxScript registers a Linux machine on which the agent is installed, from a
// package or as a snap.
func linuxScript(r registration) string {
	return `#!/bin/sh
# Registers this Linux machine with AWS Systems Manager. Run it as root. The SSM
# agent must be installed.
set -eu
activation_id=` + shellQuote(r.ID) + `
activation_code=` + shellQuote(r.Code.Reveal()) + `
region=` + shellQuote(r.Region) + `
agent=amazon-ssm-agent
service=amazon-ssm-agent
if [ -x /snap/amazon-ssm-agent/current/amazon-ssm-agent ]; then
  agent=/snap/amazon-ssm-agent/current/amazon-ssm-agent
  service=snap.amazon-ssm-agent.amazon-ssm-agent.service
fi
command -v "$agent" >/dev/null || { echo "install amazon-ssm-agent first" >&2; exit 1; }
systemctl stop "$service"
"$agent" -register -y -code "$activation_code" -id "$activation_id" -region "$region"
systemctl start "$service"
`
}

// windowsScript registers a Windows machine on which the agent is installed.
func windowsScript(r registration) string {
	return strings.ReplaceAll(`# Registers this Windows machine with AWS Systems Manager. Run it in PowerShell as
# an administrator. The SSM agent must be installed.
$ErrorActionPreference = 'Stop'
$activationId = `+powerShellQuote(r.ID)+`
$activationCode = `+powerShellQuote(r.Code.Reveal())+`
$region = `+powerShellQuote(r.Region)+`
$agent = Join-Path $env:ProgramFiles 'Amazon\SSM\amazon-ssm-agent.exe'
if (-not (Test-Path $agent)) { throw 'Install the SSM agent first.' }
Stop-Service AmazonSSMAgent
& $agent -register -y -code $activationCode -id $activationId -region $region
if ($LASTEXITCODE -ne 0) { throw "The agent did not register; it ended with code $LASTEXITCODE." }
Start-Service AmazonSSMAgent
`, "\n", "\r\n")
}

// shellQuote makes one word of any text for a POSIX shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// powerShellQuotes are what PowerShell takes for a single quote, each doubled.
var powerShellQuotes = strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛")

// powerShellQuote makes one string of any text for PowerShell.
func powerShellQuote(text string) string {
	return "'" + powerShellQuotes.Replace(text) + "'"
}
