package hybridactivation

import (
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const (
	// longestValidity is what AWS takes, less what clocks may differ by.
	longestValidity = 30*24*time.Hour - 10*time.Minute
	// rotateShare is the part of validFor that rotateBefore is when left out.
	rotateShare = 10
	// defaultLimit holds where the API server's default was not applied.
	defaultLimit = 1
)

// desired is what an activation should be.
type desired struct {
	region, role string
	limit        int32
	// most is how many machines a guardrail allows over all activations of the
	// object; 0 when no rule bounds them.
	most                      int32
	validity, rotateBefore    time.Duration
	instanceName, description string
	// tags without the one that differs for each request.
	tags       map[string]string
	replenish  bool
	secretName string
}

// desire reads the spec. tags are those that guardrails make of the spec's.
func desire(a *v1alpha1.HybridActivation, owner string, tags map[string]string) desired {
	spec := &a.Spec
	d := desired{
		region: string(spec.Region), role: spec.Role, limit: defaultLimit, validity: admission.DefaultValidity,
		instanceName: spec.DefaultInstanceName, description: spec.Description,
		tags: maps.Clone(tags), replenish: spec.Replenish, secretName: a.SecretName(),
	}
	if spec.RegistrationLimit != nil {
		d.limit = *spec.RegistrationLimit
	}
	if spec.ValidFor != nil {
		d.validity = spec.ValidFor.Duration
	}
	// Times in the record are whole seconds.
	d.validity = min(d.validity, longestValidity).Truncate(time.Second)
	d.rotateBefore = d.validity / rotateShare
	if spec.RotateBefore != nil {
		d.rotateBefore = spec.RotateBefore.Duration
	}
	if d.tags == nil {
		d.tags = map[string]string{}
	}
	d.tags[v1alpha1.TagActivation] = string(a.UID)
	d.tags[v1alpha1.TagOwner] = owner
	d.tags[v1alpha1.TagObject] = accounts.ObjectTag(owner, a)
	return d
}

// ask makes a request of it.
func (d desired) ask(nonce string, now time.Time) v1alpha1.ActivationRequest {
	requested := now.UTC().Truncate(time.Second)
	return v1alpha1.ActivationRequest{
		Nonce: nonce, RequestedAt: metav1.NewTime(requested), ExpiresAt: metav1.NewTime(requested.Add(d.validity)),
	}
}

// input is the call for a request.
func (d desired) input(r v1alpha1.ActivationRequest) ssm.NewActivation {
	tags := maps.Clone(d.tags)
	tags[v1alpha1.TagNonce] = r.Nonce
	return ssm.NewActivation{
		Role: d.role, Limit: d.limit, Expires: r.ExpiresAt.UTC(),
		DefaultInstanceName: d.instanceName, Description: d.description, Tags: tags,
	}
}

// made is the activation that a call has made.
func (d desired) made(id string, r v1alpha1.ActivationRequest) ssm.Activation {
	in := d.input(r)
	return ssm.Activation{
		ID: id, Role: in.Role, Limit: in.Limit, DefaultInstanceName: in.DefaultInstanceName, Description: in.Description,
		Created: r.RequestedAt.UTC(), Expires: in.Expires, Tags: in.Tags,
	}
}

// validitySlack is how much longer than declared an activation may be valid by AWS's clock:
// AWS accepts requests whose clock differs by up to five minutes.
const validitySlack = 5 * time.Minute

// difference is why an activation is not what it should be, as the end of a
// sentence that begins "The activation was replaced, because"; "" when it is.
// narrowing reports whether machines must not register with it any more.
func (d desired) difference(a ssm.Activation, r v1alpha1.ActivationRequest) (why string, narrowing bool) {
	switch {
	case !sameRole(a.Role, d.role):
		return fmt.Sprintf("its role is %s and the spec asks for %s", a.Role, d.role), true
	case !maps.Equal(declaredTags(a.Tags), d.expected(a)):
		return "its tags are not those that are declared", true
	case a.Limit > d.limit:
		return d.otherLimit(a), true
	case a.Expires.Sub(a.Created) > d.validity+validitySlack: // By AWS: a Secret can be forged.
		return "validFor was shortened", true
	case a.Limit < d.limit: // What narrows comes before what widens.
		return d.otherLimit(a), false
	case r.ExpiresAt.Sub(r.RequestedAt.Time) != d.validity:
		return "validFor was changed", false
	case a.DefaultInstanceName != d.instanceName:
		return "defaultInstanceName was changed", false
	case a.Description != d.description:
		return "description was changed", false
	}
	return "", false
}

func (d desired) otherLimit(a ssm.Activation) string {
	return fmt.Sprintf("its limit is %d and the spec asks for %d", a.Limit, d.limit)
}

// declaredTags leaves out what differs for each request, and what AWS adds.
func declaredTags(tags map[string]string) map[string]string {
	declared := maps.Clone(tags)
	maps.DeleteFunc(declared, func(key, _ string) bool {
		return key == v1alpha1.TagNonce || strings.HasPrefix(key, "aws:")
	})
	return declared
}

// sameRole compares the role of an activation with the declared one. A name without path
// matches any path: a name is unique in the account.
//
// ? Whether AWS returns the path with the name could not be tried.
func sameRole(is, declared string) bool {
	if strings.Contains(is, "/") && strings.Contains(declared, "/") {
		return is == declared
	}
	return path.Base(is) == path.Base(declared)
}
