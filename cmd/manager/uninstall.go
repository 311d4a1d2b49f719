package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// checkUninstallCommand is the only argument of a manager that checks whether it may be
// uninstalled, and does nothing else. The chart runs it before "helm uninstall".
const checkUninstallCommand = "check-uninstall"

// namedObjects is how many objects of a kind the refusal names.
const namedObjects = 3

// uninstallAdvice follows the list of the objects that keep the operator.
const uninstallAdvice = `Only a running operator revokes what they grant, so it was not uninstalled. Delete them, and wait until they are gone:
  kubectl delete sessionaccess,sessiondocument,hybridactivation,accounttier --all --all-namespaces
  kubectl delete awsaccount --all
Then uninstall again. If objects do not go, "kubectl describe" says what each waits for.
"helm uninstall --no-hooks" skips this check: the objects and their access in AWS then stay until the operator is installed again.`

// checkUninstall returns an error that names the objects of the operator, if there are any.
func checkUninstall(ctx context.Context) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the Kubernetes API server; set KUBECONFIG, or run in a cluster: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("register the kinds: %w", err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("make a client of the Kubernetes API server: %w", err)
	}
	var remaining []string
	for _, kind := range v1alpha1.Kinds() {
		line, err := describeRemaining(ctx, c, kind)
		if err != nil {
			return err
		}
		if line != "" {
			remaining = append(remaining, line)
		}
	}
	if len(remaining) == 0 {
		return nil
	}
	return errors.New("objects of the operator still exist: " + strings.Join(remaining, "; ") + ".\n" + uninstallAdvice)
}

// describeRemaining names the objects of a kind, as in "2 SessionAccess (team-a/x, team-a/y)".
// It is empty if there are none, or if the cluster does not know the kind.
func describeRemaining(ctx context.Context, c client.Client, kind v1alpha1.Object) (string, error) {
	gvk, err := apiutil.GVKForObject(kind, c.Scheme())
	if err != nil {
		return "", fmt.Errorf("name the kind: %w", err)
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.List(ctx, list); meta.IsNoMatchError(err) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("list the objects of kind %s: %w", gvk.Kind, err)
	}
	if len(list.Items) == 0 {
		return "", nil
	}
	var names []string
	for i := range list.Items[:min(namedObjects, len(list.Items))] {
		names = append(names, strings.TrimPrefix(list.Items[i].Namespace+"/"+list.Items[i].Name, "/"))
	}
	if len(list.Items) > namedObjects {
		names = append(names, "…")
	}
	return fmt.Sprintf("%d %s (%s)", len(list.Items), gvk.Kind, strings.Join(names, ", ")), nil
}
