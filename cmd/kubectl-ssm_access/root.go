package main

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// newRoot is the command with all others below it.
func newRoot(streams genericiooptions.IOStreams) *cobra.Command {
	config := genericclioptions.NewConfigFlags(true)
	root := &cobra.Command{
		Use:   "kubectl-ssm_access",
		Short: "Show who may open Session Manager sessions, before and after manifests are applied",
		Long: `Show what manifests of ssm-access-operator grant, before they are merged.

Flags of kubectl stand after the plugin's name: kubectl ssm-access -n team-a render -f .`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl ssm-access"},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	config.AddFlags(root.PersistentFlags())
	root.AddCommand(newRender(streams, config))
	return root
}
