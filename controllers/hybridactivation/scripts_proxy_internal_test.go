package hybridactivation

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// systemdQuoted writes an assignment as systemctl show does.
func systemdQuoted(assignment string) string {
	if !strings.ContainsAny(assignment, " \"\\`$*?['()<>|&;!") {
		return assignment
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(assignment) + `"`
}

func TestProxySettingsAreData(t *testing.T) {
	t.Parallel()
	m := newMachine(t, layouts[0])
	// Only the part that reads the settings, which is quick.
	_, part, _ := strings.Cut(m.script(), "\nuse_proxy() {")
	part, _, _ = strings.Cut(part, "\n# restore puts back")
	reads := "PATH=" + shellQuote(m.path("bin")) + ":$PATH\nservice=amazon-ssm-agent.service\nset -eu\nuse_proxy() {" + part + "\nuse_proxy\nexec env\n"
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[ -~é]{0,40}`)
		settings := map[string]string{"http_proxy": value.Draw(rt, "http"), "NO_PROXY": value.Draw(rt, "no"), "OTHER_PROXY": value.Draw(rt, "other")}
		text := "Environment=A=b"
		for name, value := range settings {
			text += " " + systemdQuoted(name+"="+value)
		}
		m.write("environment", text+"\n")
		code, out := m.runText(reads)
		if code != 0 {
			rt.Fatalf("it ended with code %d: %s", code, out)
		}
		for name, value := range settings {
			if strings.Contains("\n"+out, "\n"+name+"="+value+"\n") != (name != "OTHER_PROXY") {
				rt.Fatalf("%q became %q", text, out)
			}
		}
	})
}

func TestProxySettingsOfTheCallerWin(t *testing.T) {
	m := newMachine(t, layouts[0])
	m.write("environment", "Environment=http_proxy=http://service:1 no_proxy=x\n")
	m.environment = []string{"https_proxy=http://caller:2"}
	if code, out := m.run(); code != 0 || m.read("proxy") != "https_proxy=http://caller:2\n" {
		t.Errorf("it ended with code %d: %s; the agent got %q", code, out, m.read("proxy"))
	}
}
