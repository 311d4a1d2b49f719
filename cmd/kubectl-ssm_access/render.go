package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/ssm-access-operator/ssm-access-operator/internal/declared"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// noOwner stands for the owner id of an installation that is not known.
const noOwner = "00000000"

// renderOptions are the flags of "render".
type renderOptions struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	output outputFlags

	files, old   []string
	documents    map[string]string
	installation declared.Installation
}

func newRender(streams genericiooptions.IOStreams, config *genericclioptions.ConfigFlags) *cobra.Command {
	o := &renderOptions{IOStreams: streams, config: config, output: newOutputFlags()}
	cmd := &cobra.Command{
		Use:   "render -f PATH",
		Short: "Print the IAM policies that manifests make the operator write, and what it refuses",
		Long: `Print the IAM policies that the operator would write for each principal, in an account
without its policies, with their sizes against IAM's quotas. Standard error gets everything
that the API server or the operator would refuse, with file and line.

Neither a cluster nor AWS is asked. What only they know is listed as unknown. The AWSAccounts
and the namespaces that the manifests use have to be among the manifests.

The exit code is 1 where something is refused.`,
		Example: `  # The policies of a directory
  kubectl ssm-access render -f config/samples/features

  # As JSON, for a known installation, with the contents of a document that exists in AWS
  kubectl ssm-access render -f accounts.yaml -f teams/ --owner-id 0a1b2c3d --document SSM-SessionManagerRunShell=preferences.json -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.files, "filename", "f", nil, "`path` of a file, of a directory, which is read with its subdirectories, or of a kustomization; - is standard input")
	flags.StringSliceVar(&o.old, "old", nil, "`path` of the manifests that are in the cluster, to check what must not change")
	flags.StringToStringVar(&o.documents, "document", nil, "contents of a document that exists in AWS, as `name=file`")
	flags.StringVar(&o.installation.OwnerID, "owner-id", noOwner, "`id` of the installation, which its policies have in path and name")
	flags.StringVar(&o.installation.Partition, "partition", "aws", "`partition` of AWS, such as aws-cn")
	flags.IntVar(&o.installation.Quotas.PolicySize, "policy-size", 6144, "quota of `characters` in a managed policy")
	flags.IntVar(&o.installation.Quotas.Policies, "policies-per-principal", 10, "`number` of policies that may be attached to a principal")
	o.output.add(cmd)
	return cmd
}

func (o *renderOptions) run(ctx context.Context) error {
	if len(o.files) == 0 {
		return errors.New("give the manifests with -f, for example -f . for this directory")
	}
	if !policy.ValidOwner(o.installation.OwnerID) {
		return fmt.Errorf("--owner-id %q is not 8 lower-case hex digits, for example 0a1b2c3d", o.installation.OwnerID)
	}
	content, err := manifest.Read(o.files, o.In)
	if err != nil {
		return err
	}
	old, err := manifest.Read(o.old, o.In)
	if err != nil {
		return err
	}
	schemas, err := manifest.Load()
	if err != nil {
		return err
	}
	namespace, _, err := o.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	valid, problems := schemas.ValidateAll(ctx, content, old, namespace)
	world, twice := declared.New(valid)
	keys, err := readDocuments(o.documents, world.Regions())
	if err != nil {
		return err
	}
	resolved := world.Resolve(keys)
	policies, refusals := world.Policies(resolved.Granted, o.installation, time.Now())
	if o.installation.OwnerID == noOwner {
		resolved.Unknown = append(resolved.Unknown, "the owner id of the installation, which is in the path and name of each policy: give it with --owner-id")
	}
	r := rendering{
		Policies: policiesOf(policies), Unknown: resolved.Unknown, quota: o.installation.Quotas,
		Problems: append(append(append(problems, twice...), resolved.Refusals...), refusals...),
	}
	if err := o.output.print(o.Out, &r); err != nil {
		return err
	}
	r.report(o.ErrOut)
	if len(r.Problems) > 0 {
		return errReported
	}
	return nil
}
