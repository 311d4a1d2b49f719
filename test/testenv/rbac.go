package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// Whom the API server takes the operator for: the service account of config/rbac
// and config/default.
const (
	operatorNamespace = "ssm-access-system"
	operatorAccount   = "ssm-access-manager"
	operatorName      = "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
)

// operatorGroups are those that the API server gives every service account.
var operatorGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace, "system:authenticated"}

// OperatorConfig authenticates as the operator, who may do in the cluster what
// config/rbac says, and nothing else.
func (c *Cluster) OperatorConfig() *rest.Config {
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: operatorName, Groups: operatorGroups}
	return config
}

// LeaseNamespace is where the operator may elect a leader, for the flag
// --leader-election-namespace.
const LeaseNamespace = metav1.NamespaceDefault

// bindOperator gives the operator the roles of the checkout, and writes a
// kubeconfig with which a process is the operator.
func (c *Cluster) bindOperator(ctx context.Context) error {
	role, lease := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	if err := errors.Join(c.readRole("role.yaml", role), c.readRole("leader_election_role.yaml", lease)); err != nil {
		return err
	}
	if len(role.Rules) == 0 || len(lease.Rules) == 0 {
		return errors.New("a role of the operator is empty; run \"make generate\"")
	}
	lease.Namespace = LeaseNamespace
	operator := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: operatorNamespace, Name: operatorAccount}}
	for _, obj := range []client.Object{
		role, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name}, Subjects: operator,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		},
		lease, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: lease.Name, Namespace: LeaseNamespace}, Subjects: operator,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: lease.Name},
		},
	} {
		// A borrowed control plane has them already.
		if err := c.Client.Create(ctx, obj); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("give the operator its role: %w", err)
		}
	}
	return c.writeOperatorKubeconfig()
}

// readRole reads a role from config/rbac of the checkout.
func (c *Cluster) readRole(file string, role client.Object) error {
	text, err := os.ReadFile(filepath.Join(c.Checkout, "config", "rbac", file))
	if err != nil {
		return fmt.Errorf("read a role of the operator: %w", err)
	}
	if err := yaml.UnmarshalStrict(text, role); err != nil {
		return fmt.Errorf("read the operator's role in %s: %w", file, err)
	}
	return nil
}

func (c *Cluster) writeOperatorKubeconfig() error {
	config, err := clientcmd.LoadFromFile(c.KubeconfigPath)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate, user.ImpersonateGroups = operatorName, operatorGroups
	}
	// Next to the other, and removed with it.
	c.operatorKubeconfig = filepath.Join(filepath.Dir(c.KubeconfigPath), "kubeconfig-operator")
	if err := clientcmd.WriteToFile(*config, c.operatorKubeconfig); err != nil {
		return fmt.Errorf("write the operator's kubeconfig: %w", err)
	}
	return nil
}
