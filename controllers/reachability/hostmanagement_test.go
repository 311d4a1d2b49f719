package reachability_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
)

func TestDefaultHostManagementThatAWSKeepsIsInOrder(t *testing.T) {
	n := newNodes(t)
	n.allConnected()
	n.breaks(fixtures.S7Node, stack.NoInstanceProfile)
	n.resync()
	off := n.reachable(fixtures.S7Node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.NoInstanceProfile)
	})
	if remedy := off.Status.Targets.Failing[0].Remedy; !strings.Contains(remedy, "register-default-host-management-configuration") {
		t.Errorf("the remedy is %q", remedy)
	}
	_, err := n.AdminSSM().RegisterDefaultHostManagementConfiguration(t.Context(), &ssm.RegisterDefaultHostManagementConfigurationInput{
		PermissionModel: types.DHMCPermissionModelServiceManaged,
	})
	n.Must(err)
	n.resync()
	n.reachable(fixtures.S7Node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.AgentOffline) || c.Reason == string(check.AgentNeverSeen)
	})
	for _, call := range n.Emulator.CallLog(0) {
		if call.Operation == "SimulatePrincipalPolicy" && strings.Contains(call.Parameters["PolicySourceArn"], "/aws-reserved/") {
			t.Error("a role that AWS keeps was simulated")
		}
	}
	n.Must(n.IAM().RemoveEntity(iam.Role, "AWSReservedSSM_DefaultHostManagement"))
	n.resync()
	gone := n.reachable(fixtures.S7Node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.DefaultRoleNotFound)
	})
	if remedy := gone.Status.Targets.Failing[0].Remedy; !strings.Contains(remedy, "--overwrite") {
		t.Errorf("the remedy is %q", remedy)
	}
}
