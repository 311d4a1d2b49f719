package awsemulator_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCLIWorksWithSessionDocuments runs the commands by which guides explain session
// documents, one after another.
func TestCLIWorksWithSessionDocuments(t *testing.T) {
	t.Parallel()
	cli := awsCLI(t)
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "session.json")
	content := `{"schemaVersion":"1.0","description":"d","sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"20"}}`
	edited := strings.Replace(content, "20", "30", 1)
	yaml := "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: '20'\n"
	policy := must(json.Marshal([]string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{"Bool":{"ssm:SessionDocumentAccessCheck":"true"}}}]}`}))(t)
	for _, c := range []struct {
		file, command, query, want string
	}{
		{content, "ssm create-document --name guide --content file://" + file + " --document-type Session --document-format JSON", "DocumentDescription.DocumentType", `"Session"`},
		{edited, "ssm update-document --name guide --content file://" + file + " --document-version $LATEST", "DocumentDescription.DocumentVersion", `"2"`},
		{"", "ssm describe-document --name guide", "Document.LatestVersion", `"2"`},
		{"", "ssm delete-document --name guide", "@", ""},
		{"", "ssm describe-document --name guide", "@", "InvalidDocument"},
		{yaml, "ssm create-document --name yaml --content file://" + file + " --document-type Session --document-format YAML", "DocumentDescription.DocumentFormat", `"YAML"`},
		{"", "ssm get-document --name yaml --document-format JSON", "starts_with(Content, '{')", "true"},
		{"", "ssm create-activation --iam-role SSMServiceRole", "length(ActivationCode)", "20"},
		{"", "ssm describe-activations", "ActivationList[0].Expired", "false"},
		{"", "ssm get-inventory", "length(Entities)", "0"},
		{string(policy), "iam simulate-custom-policy --policy-input-list file://" + file + " --action-names ssm:StartSession", "EvaluationResults[0].MissingContextValues[0]", `"ssm:sessiondocumentaccesscheck"`},
	} {
		if c.file != "" {
			if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := w.runClient("", cli, append(strings.Fields(c.command), "--query", c.query, "--output", "json")...)
		refused := c.want == "InvalidDocument"
		if got := strings.TrimSpace(out); (err != nil) != refused || !refused && c.want != "" && got != c.want || refused && !strings.Contains(got, c.want) {
			t.Errorf("aws %s prints %s (%v), want %s", c.command, got, err, c.want)
		}
	}
}
