package hybridactivation

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const owner = types.UID("8f7d2f0e-0000-4000-8000-000000000001")

func at(text string) metav1.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return metav1.NewTime(parsed.UTC())
}

func someContent() content {
	return content{
		registration{ID: "0a1b2c3d-0000-4000-8000-000000000001", Code: ssm.NewActivationCode("code of twenty chars"), Region: "ap-northeast-1"},
		v1alpha1.ActivationRequest{Nonce: "NONCE", RequestedAt: at("2026-12-01T00:00:00Z"), ExpiresAt: at("2026-12-02T00:00:00Z")},
	}
}

func sameContent(a, b content) bool {
	same := a.Code.Equal(b.Code)
	a.Code = b.Code
	return same && a == b
}

func secretOf(c content) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:            "sites",
			Annotations:     map[string]string{annotationRequest: formatRequest(c.request), annotationDigest: digest(c, owner)},
			OwnerReferences: []metav1.OwnerReference{{Kind: "HybridActivation", Name: "sites", UID: owner, Controller: new(true)}},
		},
		Data: render(c.registration),
	}
}

func TestSecretTellsWhetherItsCodeIsStillThere(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*corev1.Secret)
		state         secretState
		intact, stale bool
	}{
		"as it was written":        {func(*corev1.Secret) {}, secretOurs, true, false},
		"with a label more":        {func(s *corev1.Secret) { s.Labels = map[string]string{"a": "b"} }, secretOurs, true, false},
		"with an annotation more":  {func(s *corev1.Secret) { s.Annotations["a"] = "b" }, secretOurs, true, false},
		"with a script changed":    {func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyLinux] = []byte("rm -rf /") }, secretOurs, true, true},
		"with a key more":          {func(s *corev1.Secret) { s.Data["more"] = nil }, secretOurs, true, true},
		"with a key less":          {func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyWindows) }, secretOurs, true, true},
		"with another region":      {func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyRegion] = []byte("us-east-1") }, secretOurs, true, true},
		"with another code":        {func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyCode] = []byte("another code of them") }, secretOurs, false, false},
		"without the code":         {func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyCode) }, secretOurs, false, false},
		"with another id":          {func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyID] = []byte("another") }, secretOurs, false, false},
		"with another request":     {func(s *corev1.Secret) { s.Annotations[annotationRequest] += "0" }, secretOurs, false, false},
		"without annotations":      {func(s *corev1.Secret) { s.Annotations = nil }, secretOurs, false, false},
		"without data":             {func(s *corev1.Secret) { s.Data = nil }, secretOurs, false, false},
		"of nobody":                {func(s *corev1.Secret) { s.OwnerReferences = nil }, secretForeign, false, false},
		"of another of that name":  {func(s *corev1.Secret) { s.OwnerReferences[0].UID = "other" }, secretForeign, false, false},
		"owned but not controlled": {func(s *corev1.Secret) { s.OwnerReferences[0].Controller = nil }, secretForeign, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			secret := secretOf(someContent())
			c.change(secret)
			view := viewSecret(secret, owner).inRegion("ap-northeast-1", secret.Data)
			if view.state != c.state || (view.content != nil) != c.intact || view.stale != c.stale {
				t.Errorf("got state %d, intact %t, stale %t", view.state, view.content != nil, view.stale)
			}
			if view.content != nil && !sameContent(*view.content, someContent()) {
				t.Errorf("got %v", view.content)
			}
		})
	}
	if view := viewSecret(nil, owner); view.state != secretAbsent {
		t.Error("no Secret is taken for one")
	}
	copied := secretOf(someContent())
	copied.OwnerReferences[0].UID = "other"
	if viewSecret(copied, "other").content != nil {
		t.Error("the content of another object's Secret counts as one's own")
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(formatRequest(someContent().request))
	f.Add("a b c")
	f.Add("N 2026-12-01T00:00:00+09:00 2026-12-01T00:00:00.5Z")
	f.Fuzz(func(t *testing.T, text string) {
		request, err := parseRequest(text)
		if err != nil {
			return
		}
		again, err := parseRequest(formatRequest(request))
		if err != nil || again.Nonce != request.Nonce ||
			!again.RequestedAt.Time.Equal(request.RequestedAt.Truncate(time.Second)) || !again.ExpiresAt.Time.Equal(request.ExpiresAt.Truncate(time.Second)) {
			t.Errorf("%q reads as %v and then as %v, %v", text, request, again, err)
		}
	})
}
