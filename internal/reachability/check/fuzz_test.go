package check_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"3.2.582.0", "2.3", "", ".", "3.0.0.0.0", "+1.0", "4294967296", "-1", "1e3", "03.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := check.ParseVersion(s)
		if err != nil {
			if v != (check.Version{}) {
				t.Fatalf("%q is refused and read as %s", s, v)
			}
			return
		}
		again, err := check.ParseVersion(v.String())
		if err != nil || again != v || v.Before(again) {
			t.Fatalf("%q is read as %s, and that as %s, %v", s, v, again, err)
		}
	})
}

func FuzzAllows(f *testing.F) {
	f.Add(keyPolicy("sessions"), "kms:Decrypt", "*")
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":["a:*"],"NotResource":"b?","Principal":"*"}}`, "s3:PutObject", "arn:aws:s3:::b/c")
	f.Add(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":true}}}]}`, "a:b", "c")
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		p := check.Permission{Action: action, Resource: resource}
		allowed, certain := check.Allows([]string{document}, p)
		if allowed && !certain {
			t.Fatal("allowed without being certain")
		}
		deny := `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
		if denied, _ := check.Allows([]string{document, deny}, p); denied {
			t.Fatalf("%s allows what is denied", document)
		}
	})
}

func FuzzRanges(f *testing.F) {
	f.Add("10.0.0.0/16", "10.0.2.10")
	f.Add("::/0", "::1")
	f.Add("::ffff:10.0.0.0/104", "10.0.0.300")
	f.Fuzz(func(t *testing.T, cidr, address string) {
		facts := changed(stack(),
			rules("sg-endpoint", check.Rule{Protocol: "-1", CIDR: cidr}),
			rules("sg-node", check.Rule{Egress: true, Protocol: "-1", CIDR: cidr}),
			entries(check.ACLEntry{Number: 1, Egress: true, Protocol: "-1", CIDR: cidr}), elsewhere,
			routed(check.Route{Destination: cidr, Target: "nat-1"}), without("ssm"),
			onPrimary(func(n *check.Interface) { n.Address = address }))
		check.Judge(facts)
	})
}
