package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// deployment is the manifest of the manager, from the root of the checkout.
const deployment = "config/manager/deployment.yaml"

// deployedEnvironment is what the Deployment sets in the manager's environment, so
// that what is measured is what runs in a cluster.
func deployedEnvironment(ctx context.Context) ([]string, error) {
	root, err := testenv.Checkout(ctx)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, deployment))
	if err != nil {
		return nil, fmt.Errorf("read the manager's manifest: %w", err)
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(content, &d); err != nil {
		return nil, fmt.Errorf("read the manager's manifest %s: %w", deployment, err)
	}
	var environ []string
	for _, v := range d.Spec.Template.Spec.Containers[0].Env {
		environ = append(environ, v.Name+"="+v.Value)
	}
	return environ, nil
}
