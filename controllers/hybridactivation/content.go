package hybridactivation

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Annotations of the Secret. AWS returns a code only once, so the Secret itself records
// which request made its content, and whether that is still what the operator wrote.
const (
	annotationRequest = v1alpha1.TagPrefix + "request"
	annotationDigest  = v1alpha1.TagPrefix + "digest"
)

// content is an activation that has a stored code.
type content struct {
	registration
	request v1alpha1.ActivationRequest
}

// secretState says whose a Secret is.
type secretState int

const (
	secretAbsent secretState = iota
	// secretForeign is not controlled by the object, and never written.
	secretForeign
	secretOurs
)

// secretView is what the operator makes of a Secret.
type secretView struct {
	state secretState
	// content that the operator wrote; nil when there is none, or when the content
	// was changed since: the code is lost then.
	content *content
	// stale: what follows from the content is not as the operator writes it.
	stale bool
}

// viewSecret judges a Secret, nil when there is none.
func viewSecret(secret *corev1.Secret, owner types.UID) secretView {
	if secret == nil {
		return secretView{}
	}
	if controller := metav1.GetControllerOf(secret); controller == nil || controller.UID != owner {
		return secretView{state: secretForeign}
	}
	view := secretView{state: secretOurs}
	request, err := parseRequest(secret.Annotations[annotationRequest])
	if err != nil {
		return view
	}
	c := content{registration{
		ID: string(secret.Data[v1alpha1.SecretKeyID]), Code: cloud.NewActivationCode(string(secret.Data[v1alpha1.SecretKeyCode])),
		Region: string(secret.Data[v1alpha1.SecretKeyRegion]),
	}, request}
	if subtle.ConstantTimeCompare([]byte(digest(c, owner)), []byte(secret.Annotations[annotationDigest])) != 1 {
		return view
	}
	view.content = &c
	return view
}

// inRegion notes whether the Secret is as the operator would write it for a
// region.
func (v secretView) inRegion(region string, data map[string][]byte) secretView {
	if v.content == nil {
		return v
	}
	v.content.Region = region
	v.stale = !maps.EqualFunc(data, render(v.content.registration), bytes.Equal)
	return v
}

// render makes the data of the Secret.
func render(r registration) map[string][]byte {
	return map[string][]byte{
		v1alpha1.SecretKeyID:      []byte(r.ID),
		v1alpha1.SecretKeyCode:    []byte(r.Code.Reveal()),
		v1alpha1.SecretKeyRegion:  []byte(r.Region),
		v1alpha1.SecretKeyLinux:   []byte(linuxScript(r)),
		v1alpha1.SecretKeyWindows: []byte(windowsScript(r)),
	}
}

// digest covers what cannot be had again once it is lost. It stays in the
// Secret, beside the code.
func digest(c content, owner types.UID) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(owner), c.ID, c.Code.Reveal(), formatRequest(c.request)}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// formatRequest writes a request on one line.
func formatRequest(r v1alpha1.ActivationRequest) string {
	return fmt.Sprintf("%s %s %s", r.Nonce, r.RequestedAt.UTC().Format(time.RFC3339), r.ExpiresAt.UTC().Format(time.RFC3339))
}

// parseRequest reads what formatRequest wrote.
func parseRequest(text string) (v1alpha1.ActivationRequest, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("%q is not a nonce and two times", text)
	}
	requested, err := time.Parse(time.RFC3339, fields[1])
	if err != nil {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("the time of the request: %w", err)
	}
	expires, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return v1alpha1.ActivationRequest{}, fmt.Errorf("the expiry: %w", err)
	}
	return v1alpha1.ActivationRequest{Nonce: fields[0], RequestedAt: metav1.NewTime(requested.UTC()), ExpiresAt: metav1.NewTime(expires.UTC())}, nil
}
