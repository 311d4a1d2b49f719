package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/ssm-access-operator/ssm-access-operator/internal/declared"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// outputVersion is the API version of what -o json and -o yaml print.
const outputVersion = "cli.ssm-access.dev/v1alpha1"

// outputFlags are kubectl's flags for output.
type outputFlags struct {
	format    string
	json      *genericclioptions.JSONYamlPrintFlags
	templates *genericclioptions.KubeTemplatePrintFlags
}

func newOutputFlags() outputFlags {
	return outputFlags{json: genericclioptions.NewJSONYamlPrintFlags(), templates: genericclioptions.NewKubeTemplatePrintFlags()}
}

func (f *outputFlags) add(cmd *cobra.Command) {
	f.json.AddFlags(cmd)
	f.templates.AddFlags(cmd)
	formats := append([]string{"wide", "name"}, f.json.AllowedFormats()...)
	formats = append(formats, f.templates.AllowedFormats()...)
	cmd.Flags().StringVarP(&f.format, "output", "o", "", "`format` of the output: one of "+strings.Join(formats, ", "))
}

// rendering is what "render" prints.
type rendering struct {
	Policies []renderedPolicy    `json:"policies"`
	Problems []*manifest.Problem `json:"problems"`
	Unknown  []string            `json:"unknown"`

	quota policy.Quotas
}

// renderedPolicy is one policy of a principal.
type renderedPolicy struct {
	AccountID string          `json:"accountID"`
	Principal principal       `json:"principal"`
	Path      string          `json:"path"`
	Name      string          `json:"name"`
	Size      int             `json:"size"`
	Accesses  []string        `json:"accesses"`
	Document  json.RawMessage `json:"document"`
}

type principal struct {
	Kind policy.Kind `json:"kind"`
	Name string      `json:"name"`
}

func policiesOf(principals []declared.PrincipalPolicies) []renderedPolicy {
	all := []renderedPolicy{}
	for i := range principals {
		p := &principals[i]
		accesses := make([]string, len(p.Accesses))
		for i, access := range p.Accesses {
			accesses[i] = access.String()
		}
		for _, written := range p.Policies {
			all = append(all, renderedPolicy{
				AccountID: p.AccountID, Principal: principal{p.Kind, p.Name}, Path: written.Path, Name: written.Name,
				Size: len(written.Document), Accesses: accesses, Document: json.RawMessage(written.Document),
			})
		}
	}
	return all
}

// print writes a rendering in the format of the flags.
func (f *outputFlags) print(out io.Writer, r *rendering) error {
	switch f.format {
	case "", "wide":
		return r.printText(out, f.format == "wide")
	case "name":
		for i := range r.Policies {
			fmt.Fprintln(out, r.Policies[i].Path+r.Policies[i].Name)
		}
		return nil
	}
	object, err := r.object()
	if err != nil {
		return err
	}
	printer, err := f.json.ToPrinter(f.format)
	if genericclioptions.IsNoCompatiblePrinterError(err) {
		printer, err = f.templates.ToPrinter(f.format)
	}
	if err != nil {
		return fmt.Errorf("print as %q: %w", f.format, err)
	}
	return printer.PrintObj(object, out)
}

// object is a rendering for kubectl's printers.
func (r *rendering) object() (runtime.Object, error) {
	fields := map[string]any{}
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		return nil, fmt.Errorf("print the policies: %w", err)
	}
	fields["apiVersion"], fields["kind"] = outputVersion, "Rendering"
	return &unstructured.Unstructured{Object: fields}, nil
}

// printText prints a table of the policies, and then each document.
func (r *rendering) printText(out io.Writer, wide bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	columns := []string{"ACCOUNT", "PRINCIPAL", "POLICY", "SIZE"}
	if wide {
		columns = append(columns, "SESSIONACCESSES")
	}
	if len(r.Policies) > 0 {
		fmt.Fprintln(table, strings.Join(columns, "\t"))
	}
	for i := range r.Policies {
		p := &r.Policies[i]
		row := []string{p.AccountID, string(p.Principal.Kind) + "/" + p.Principal.Name, p.Name, fmt.Sprintf("%d/%d", p.Size, r.quota.PolicySize)}
		if wide {
			row = append(row, strings.Join(p.Accesses, ","))
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the policies: %w", err)
	}
	for i := range r.Policies {
		var text bytes.Buffer
		if err := json.Indent(&text, r.Policies[i].Document, "", "  "); err != nil {
			return fmt.Errorf("print policy %s: %w", r.Policies[i].Name, err)
		}
		fmt.Fprintf(out, "\n# %s%s\n%s\n", r.Policies[i].Path, r.Policies[i].Name, text.String())
	}
	return nil
}

// report prints the problems and what is unknown.
func (r *rendering) report(out io.Writer) {
	slices.SortStableFunc(r.Problems, manifest.ByPlace)
	for _, p := range r.Problems {
		fmt.Fprintln(out, p.String())
	}
	for _, text := range r.Unknown {
		fmt.Fprintln(out, "unknown:", text)
	}
}
