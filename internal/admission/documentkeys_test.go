package admission_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

func TestKeysOfNamedDocuments(t *testing.T) {
	const (
		doc     = "SSM-SessionManagerRunShell"
		tokyo   = "arn:aws:kms:ap-northeast-1:488821267897:key/3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"
		foreign = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555"
	)
	read := func(region v1alpha1.Region, id, arn string) admission.DocumentKey {
		return admission.DocumentKey{Document: doc, Region: region, ID: id, ARN: arn}
	}
	for name, c := range map[string]struct {
		read    []admission.DocumentKey
		rules   [][]v1alpha1.KeyPattern
		granted []string
		want    []string
		says    string
	}{
		"nothing was read":               {nil, [][]v1alpha1.KeyPattern{{"*"}}, nil, []string{""}, ""},
		"nothing was read after a start": {nil, [][]v1alpha1.KeyPattern{{"*"}}, []string{tokyo}, []string{tokyo}, ""},
		"no key":                         {[]admission.DocumentKey{read("ap-northeast-1", "", "")}, [][]v1alpha1.KeyPattern{{"*"}}, []string{tokyo}, []string{""}, ""},
		"a key by its alias":             {[]admission.DocumentKey{read("ap-northeast-1", "alias/x", tokyo)}, [][]v1alpha1.KeyPattern{{"alias/*"}}, nil, []string{tokyo}, ""},
		"a key by its ARN in the rule":   {[]admission.DocumentKey{read("ap-northeast-1", "alias/x", tokyo)}, [][]v1alpha1.KeyPattern{{tokyo}}, nil, []string{tokyo}, ""},
		"a key for each region": {
			[]admission.DocumentKey{read("ap-northeast-1", "alias/x", tokyo), read("us-east-1", foreign, foreign)},
			[][]v1alpha1.KeyPattern{{"*"}},
			nil,
			[]string{tokyo, foreign},
			"",
		},
		"no rule":                    {[]admission.DocumentKey{read("ap-northeast-1", "alias/x", tokyo)}, nil, []string{tokyo}, []string{""}, "sessionDocuments.keys"},
		"one rule of two":            {[]admission.DocumentKey{read("us-east-1", foreign, foreign)}, [][]v1alpha1.KeyPattern{{"*"}, {"alias/*"}}, nil, []string{""}, "sessionDocuments.keys"},
		"a key that was not found":   {[]admission.DocumentKey{read("us-east-1", "alias/none", "")}, [][]v1alpha1.KeyPattern{{"*"}}, nil, []string{""}, "kms:DescribeKey"},
		"a key of Parameter Store":   {[]admission.DocumentKey{read("ap-northeast-1", "{{ssm:/sessions/key}}", "")}, [][]v1alpha1.KeyPattern{{"*"}}, []string{tokyo}, []string{""}, "name the key itself in kmsKeyId"},
		"a key not found any longer": {[]admission.DocumentKey{read("ap-northeast-1", "alias/x", "")}, [][]v1alpha1.KeyPattern{{"*"}}, []string{tokyo}, []string{tokyo}, "kms:DescribeKey"},
	} {
		t.Run(name, func(t *testing.T) {
			account := &v1alpha1.AWSAccount{Spec: v1alpha1.AWSAccountSpec{
				AccountID: "488821267897", Regions: []v1alpha1.Region{"ap-northeast-1", "us-east-1"}, AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
			}}
			for _, keys := range c.rules {
				account.Spec.Guardrails = append(account.Spec.Guardrails, v1alpha1.Guardrail{NamespaceSelector: &metav1.LabelSelector{}, SessionDocuments: &v1alpha1.DocumentRule{Keys: keys}})
			}
			access := &v1alpha1.SessionAccess{Spec: v1alpha1.SessionAccessSpec{Documents: []v1alpha1.DocumentReference{{Name: doc}}}}
			if c.granted != nil {
				access.Status.Applied = &v1alpha1.AppliedAccess{Granted: &v1alpha1.ResolvedGrant{}}
				for _, arn := range c.granted {
					access.Status.Applied.Granted.Documents = append(access.Status.Applied.Granted.Documents, v1alpha1.ResolvedDocument{Name: doc, KMSKeyARN: arn})
				}
			}
			d := admission.SessionAccess{
				AccountAccess: admission.AccountAccess{Account: account, NamespaceName: "team-a"}, Object: access,
				References: admission.References{Keys: admission.DocumentKeys{Read: c.read}},
			}.Decide()
			if d.Grant == nil {
				t.Fatalf("nothing is granted: %+v", d.Problem)
			}
			var got []string
			for _, document := range d.Grant.Documents {
				got = append(got, document.KMSKeyARN)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("granted are the keys %q, want %q", got, c.want)
			}
			if (d.UngrantedKey == "") != (c.says == "") || !strings.Contains(d.UngrantedKey, c.says) {
				t.Errorf("it says %q, want %q", d.UngrantedKey, c.says)
			}
		})
	}
}
