package check_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// reasons are the values of all constants of type Reason.
func reasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || value != spec.Names[0].Name {
			t.Errorf("%s is spelt %q", spec.Names[0].Name, value)
		}
		all = append(all, value)
		return true
	})
	return all
}

func TestEveryReasonIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../../" + check.TroubleshootingPage)
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(page), -1) {
		sections = append(sections, m[1])
	}
	// The operator reports these two where there is nothing to check.
	all := append(reasons(t), v1alpha1.ReasonNoTargets, v1alpha1.ReasonNotLookedAt)
	slices.Sort(all)
	slices.Sort(sections)
	if len(all) < 50 || !slices.Equal(all, sections) {
		t.Errorf("reasons  %q\nsections %q", all, sections)
	}
	for _, r := range all {
		if want := "#" + strings.ToLower(r); !strings.HasSuffix(check.Reason(r).Docs(), want) {
			t.Errorf("%s leads to %s", r, check.Reason(r).Docs())
		}
	}
}
