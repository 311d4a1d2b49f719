package scenario

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Account is an AWSAccount of the fixture's account that namespaces of team a may
// use.
func Account(change ...func(*v1alpha1.AWSAccount)) *v1alpha1.AWSAccount {
	a := &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: AccountID,
			Regions:   []v1alpha1.Region{Region},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{
				From:     v1alpha1.NamespacesSelector,
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			},
		},
	}
	for _, c := range change {
		c(a)
	}
	return a
}

// Access is a SessionAccess in Team that grants a user instances by id.
func Access(name, user string, ids ...string) *v1alpha1.SessionAccess {
	target := v1alpha1.Target{}
	for _, id := range ids {
		target.InstanceIDs = append(target.InstanceIDs, v1alpha1.InstanceID(id))
	}
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: Team},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
			Targets:    []v1alpha1.Target{target},
		},
	}
}

// Create creates objects as a user of kubectl would.
func (w World) Create(objects ...client.Object) {
	w.T.Helper()
	for _, obj := range objects {
		w.Must(w.Client.Create(w.T.Context(), obj))
	}
}

// Change edits an object.
func Change[T client.Object](w World, obj T, edit func(T)) {
	w.T.Helper()
	w.Must(w.Client.Get(w.T.Context(), client.ObjectKeyFromObject(obj), obj))
	before := obj.DeepCopyObject().(T)
	edit(obj)
	w.Must(w.Client.Patch(w.T.Context(), obj, client.MergeFrom(before)))
}

// Condition is the condition of that type, and empty where there is none.
func Condition(conditions []metav1.Condition, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// UserARN is the ARN of an IAM user in the fixture's account.
func UserARN(name string) string { return "arn:aws:iam::" + AccountID + ":user/" + name }

// KeyOf is the namespace and the name of an object.
func KeyOf(obj client.Object) client.ObjectKey { return client.ObjectKeyFromObject(obj) }

// Excluding is a guardrail that takes nodes out of reach of all namespaces.
func Excluding(name string, nodes v1alpha1.NodeExclusion) v1alpha1.Guardrail {
	return v1alpha1.Guardrail{Name: name, NamespaceSelector: &metav1.LabelSelector{}, ExcludedNodes: &nodes}
}

// ExcludedTag excludes the nodes with one of the values of a tag.
func ExcludedTag(key string, values ...string) v1alpha1.NodeExclusion {
	return v1alpha1.NodeExclusion{Tags: []v1alpha1.ExcludedTag{{Key: key, Values: values}}}
}

// OtherTeam is a second namespace that the account allows.
const OtherTeam = "team-b"

// OtherAccountID is a second AWS account, in which the operator assumes a role.
const OtherAccountID = "111122223333"
