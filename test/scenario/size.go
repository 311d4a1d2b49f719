package scenario

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// ProbeOf is an object that the earlier CRD accepts and the present one does not.
func ProbeOf(kind string) client.Object {
	switch kind {
	case "SessionAccess":
		probe := Access("probe", "user01")
		probe.Spec.Targets = nil
		ids := ManyIDs(2001)
		for part := range slices.Chunk(ids, 300) {
			probe.Spec.Targets = append(probe.Spec.Targets, v1alpha1.Target{InstanceIDs: part})
		}
		return probe
	case "AWSAccount":
		probe := Account()
		probe.Name = "probe"
		probe.Spec.Guardrails = wordyGuardrails()
		return probe
	case "SessionDocument":
		probe := SessionDocument()
		probe.Name = "probe"
		probe.Spec.Parameters = wordyParameters()
		return probe
	default:
		return nil
	}
}

// ManyIDs are that many ids of instances.
func ManyIDs(n int) []v1alpha1.InstanceID {
	ids := make([]v1alpha1.InstanceID, n)
	for i := range ids {
		ids[i] = v1alpha1.InstanceID(fmt.Sprintf("i-%017x", i+1))
	}
	return ids
}

// Wordy are texts of the longest sort, all different.
func Wordy(n, size int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("t%05d", i) + strings.Repeat("x", size-6)
	}
	return texts
}

// WordyTags are targets of long tags.
func WordyTags(targets, tags int, fill string) []v1alpha1.Target {
	var all []v1alpha1.Target
	for i := range targets {
		t := v1alpha1.Target{Tags: map[string]string{}}
		for j := range tags {
			t.Tags[fmt.Sprintf("k%02d%02d", i, j)+strings.Repeat(fill, 120)] = strings.Repeat(fill, 256)
		}
		all = append(all, t)
	}
	return all
}

// wordyGuardrails are guardrails as large as the API server accepts at most, and
// beyond.
func wordyGuardrails() []v1alpha1.Guardrail {
	var all []v1alpha1.Guardrail
	for i := range 3 {
		g := v1alpha1.Guardrail{Name: fmt.Sprint("wordy-", i), NamespaceSelector: &metav1.LabelSelector{}}
		for _, text := range Wordy(100, 128) {
			g.Documents = append(g.Documents, v1alpha1.NamePattern(text))
		}
		all = append(all, g)
	}
	return all
}

func wordyParameters() []v1alpha1.DocumentParameter {
	var all []v1alpha1.DocumentParameter
	for i := range 20 {
		all = append(all, v1alpha1.DocumentParameter{Name: fmt.Sprint("p", i), AllowedValues: Wordy(50, 256)})
	}
	return all
}
