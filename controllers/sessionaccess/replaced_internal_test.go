package sessionaccess

import (
	"reflect"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheMachinesOfAnActivationThatIsGoneMayBeThoseOfAnyThatIsThere(t *testing.T) {
	t.Parallel()
	of := func(uid string) v1alpha1.ResolvedTarget {
		return v1alpha1.ResolvedTarget{Tags: map[string]string{v1alpha1.TagActivation: uid}, HybridRegion: "eu-west-1"}
	}
	byID := v1alpha1.ResolvedTarget{InstanceIDs: []v1alpha1.InstanceID{"mi-0123456789abcdef0"}}
	for name, c := range map[string]struct {
		lost, want []v1alpha1.ResolvedTarget
		present    []string
	}{
		"it is there":        {[]v1alpha1.ResolvedTarget{of("a"), byID}, []v1alpha1.ResolvedTarget{of("a"), byID}, []string{"a", "b"}},
		"it is gone":         {[]v1alpha1.ResolvedTarget{of("a"), byID}, []v1alpha1.ResolvedTarget{of("a"), byID, of("b"), of("c")}, []string{"b", "c"}},
		"none is there":      {[]v1alpha1.ResolvedTarget{of("a")}, []v1alpha1.ResolvedTarget{of("a")}, nil},
		"of no activation":   {[]v1alpha1.ResolvedTarget{byID}, []v1alpha1.ResolvedTarget{byID}, []string{"b"}},
		"one of two is gone": {[]v1alpha1.ResolvedTarget{of("a"), of("b")}, []v1alpha1.ResolvedTarget{of("a"), of("b"), of("b")}, []string{"b"}},
	} {
		lost := []v1alpha1.ResolvedGrant{{Targets: c.lost}}
		if got := replacing(lost, c.present)[0].Targets; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if len(lost[0].Targets) != len(c.lost) {
			t.Errorf("%s: the lost grant itself was changed", name)
		}
	}
}
