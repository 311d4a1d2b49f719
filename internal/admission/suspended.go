package admission

import (
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Suspended is the denial of an object that is suspended, by its own spec or by that of its
// account, which may be nil. It is nil for an object that is not.
func Suspended(obj interface{ IsSuspended() bool }, account *v1alpha1.AWSAccount) *Denial {
	var by string
	switch {
	case obj.IsSuspended():
		by = "spec.suspend"
	case account != nil && account.IsSuspended():
		by = fmt.Sprintf("spec.suspend of AWSAccount %q", account.Name)
	default:
		return nil
	}
	return refuse(v1alpha1.ReasonSuspended,
		"Nothing is added or changed in AWS, because %s is true. What is not declared or allowed any more is still removed. Set it to false to continue.", by)
}
