package iam

import (
	"net/url"
	"strings"
	"testing"
)

// A document is returned as it was written, whatever it says, encoded or not.
func FuzzDecodeDocument(f *testing.F) {
	for _, seed := range []string{grantA, `{"a":"b+c"}`, `{"a":"%41"}`, " {\"a\":\"端末 ${$}\"}\n", `{"a":"%zz"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		if !strings.HasPrefix(strings.TrimSpace(document), "{") {
			t.Skip("IAM keeps JSON objects only")
		}
		for form, wire := range map[string]string{"plain": document, "encoded": url.PathEscape(document)} {
			if got := decodeDocument(wire); got != document {
				t.Errorf("%s: got %q, want %q", form, got, document)
			}
		}
	})
}

// Only a policy below the operator's path and in its account is the operator's,
// whatever ARN is attached.
func FuzzForeignPoliciesAreNeverOurs(f *testing.F) {
	for _, seed := range []string{
		*arnOf(testPolicy), "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::" + testAccount + ":policy/" + testPolicy,
		"arn:aws:iam::111111111111:policy/ssm-access/0a1b2c3d/" + testPolicy, benchARNs + "/ssm-access/0a1b2c3d/x/" + testPolicy, benchARNs,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, policyARN string) {
		inv := newInventory(Ownership{OwnerID: testOwner}, benchARNs, start)
		p := &principal{}
		inv.addAttachment(alice, p, policyARN)
		ours := strings.HasPrefix(policyARN, benchARNs+"/ssm-access/"+testOwner+"/")
		if len(inv.policies) > 0 && !ours {
			t.Errorf("%q is taken for ours", policyARN)
		}
		if len(inv.policies)+p.foreignAttachments != 1 {
			t.Errorf("%q counts %d times", policyARN, len(inv.policies)+p.foreignAttachments)
		}
	})
}
