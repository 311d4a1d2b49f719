package hybridactivation

import (
	_ "embed" // The scripts are files of their own.
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// registration is what a machine needs to register.
type registration struct {
	ID, Region string
	// Code is hidden until the Secret is rendered.
	Code cloud.ActivationCode
}

// The scripts are complete but for three values, which placeholders stand for.
var (
	//go:embed register-linux.sh
	linuxTemplate string
	//go:embed register-windows.ps1
	windowsTemplate string
)

// linuxScript registers a Linux machine on which the agent is installed, from a
// package or as a snap.
func linuxScript(r registration) string {
	return fill(linuxTemplate, r, shellQuote)
}

// windowsScript registers a Windows machine on which the agent is installed.
func windowsScript(r registration) string {
	return strings.ReplaceAll(fill(windowsTemplate, r, powerShellQuote), "\n", "\r\n")
}

// fill puts the values into a script, each quoted. A value that looks like a
// placeholder stays what it is.
func fill(template string, r registration, quote func(string) string) string {
	return strings.NewReplacer(
		"@activation_id@", quote(r.ID), "@activation_code@", quote(r.Code.Reveal()), "@region@", quote(r.Region),
	).Replace(template)
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
