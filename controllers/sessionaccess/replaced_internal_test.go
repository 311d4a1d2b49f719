package sessionaccess

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheMachinesOfAnActivationThatIsGoneMayBeThoseOfAnyThatIsThere(t *testing.T) {
	t.Parallel()
	of := func(uid string) v1alpha1.ResolvedTarget {
		return v1alpha1.ResolvedTarget{Tags: map[string]string{v1alpha1.TagActivation: uid}, HybridRegion: "eu-west-1"}
	}
	began := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	there := func(uids ...string) (all []v1alpha1.HybridActivation) {
		for _, uid := range uids {
			all = append(all, v1alpha1.HybridActivation{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid)}})
		}
		return all
	}
	byID := v1alpha1.ResolvedTarget{InstanceIDs: []v1alpha1.InstanceID{"mi-0123456789abcdef0"}}
	for name, c := range map[string]struct {
		lost, want []v1alpha1.ResolvedTarget
		present    []v1alpha1.HybridActivation
	}{
		"it is there":        {[]v1alpha1.ResolvedTarget{of("a"), byID}, []v1alpha1.ResolvedTarget{of("a"), byID}, there("a", "b")},
		"it is gone":         {[]v1alpha1.ResolvedTarget{of("a"), byID}, []v1alpha1.ResolvedTarget{of("a"), byID, of("b"), of("c")}, there("b", "c")},
		"none is there":      {[]v1alpha1.ResolvedTarget{of("a")}, []v1alpha1.ResolvedTarget{of("a")}, nil},
		"of no activation":   {[]v1alpha1.ResolvedTarget{byID}, []v1alpha1.ResolvedTarget{byID}, there("b")},
		"one of two is gone": {[]v1alpha1.ResolvedTarget{of("a"), of("b")}, []v1alpha1.ResolvedTarget{of("a"), of("b"), of("b")}, there("b")},
		"one was there before": {[]v1alpha1.ResolvedTarget{of("a")}, []v1alpha1.ResolvedTarget{of("a"), of("c")}, []v1alpha1.HybridActivation{
			{ObjectMeta: metav1.ObjectMeta{UID: "b", CreationTimestamp: metav1.Time{Time: began.Add(-time.Hour)}}},
			{ObjectMeta: metav1.ObjectMeta{UID: "c", CreationTimestamp: metav1.Time{Time: began.Add(time.Hour)}}},
		}},
	} {
		lost := []v1alpha1.ResolvedGrant{{Targets: c.lost, Since: &metav1.Time{Time: began}}}
		if got := replacing(lost, c.present)[0].Targets; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if len(lost[0].Targets) != len(c.lost) {
			t.Errorf("%s: the lost grant itself was changed", name)
		}
	}
}
