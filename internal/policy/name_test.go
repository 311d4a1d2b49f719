package policy_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

const owner = "0a1b2c3d"

func TestNamesAreStableForEver(t *testing.T) {
	long := strings.Repeat("Abcdefgh", 16)
	for _, tc := range []struct {
		principal policy.Principal
		shard     int
		want      string
	}{
		{policy.Principal{Kind: policy.User, Name: "user01"}, 1, "ssma-0a1b2c3d-u-user01-22f458698e4d-1"},
		{policy.Principal{Kind: policy.User, Name: "USER01"}, 1, "ssma-0a1b2c3d-u-user01-22f458698e4d-1"},
		{policy.Principal{Kind: policy.Group, Name: "user01"}, 2, "ssma-0a1b2c3d-g-user01-59da0f048c90-2"},
		{policy.Principal{Kind: policy.Role, Name: "user01"}, 3, "ssma-0a1b2c3d-r-user01-3db345dfdebc-3"},
		{policy.Principal{Kind: policy.PermissionSet, Name: "user01"}, 10, "ssma-0a1b2c3d-p-user01-6c13cf977db8-10"},
		{policy.Principal{Kind: policy.Group, Name: long}, 999999, "ssma-0a1b2c3d-g-" + strings.ToLower(long[:80]) + "-08e7622cdaa7-999999"},
	} {
		if got := policy.Name(owner, tc.principal, tc.shard); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.principal, got, tc.want)
		}
	}
}

// drawPrincipal returns any principal that IAM could have.
func drawPrincipal(t *rapid.T) policy.Principal {
	kind := rapid.SampledFrom([]policy.Kind{policy.User, policy.Group, policy.Role, policy.PermissionSet}).Draw(t, "kind")
	form := `[A-Za-z0-9_+=,.@-]{1,64}`
	if kind == policy.Group {
		form = `[A-Za-z0-9_+=,.@-]{1,128}`
	}
	return policy.Principal{Kind: kind, Name: rapid.StringMatching(form).Draw(t, "name")}
}

func TestEveryNameFitsIAMAndReadsBack(t *testing.T) {
	iam := regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrincipal(t)
		shard := rapid.IntRange(1, 999_999).Draw(t, "shard")
		name := policy.Name(owner, p, shard)
		if !iam.MatchString(name) {
			t.Fatalf("IAM refuses %s", name)
		}
		if !strings.HasPrefix(name, policy.Prefix(owner, p)) || !strings.HasSuffix(policy.Prefix(owner, p), "-") {
			t.Fatalf("%s does not begin with %s", name, policy.Prefix(owner, p))
		}
		got, ok := policy.ParseName(name)
		if !ok || got.Owner != owner || got.Kind != p.Kind || got.Shard != shard || len(got.Hash) != 12 ||
			!strings.HasPrefix(strings.ToLower(p.Name), got.Label) {
			t.Fatalf("%s reads back as %+v, %t", name, got, ok)
		}
	})
}

func TestNamesDifferExactlyWhenPrincipalsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPrincipal(t), drawPrincipal(t)
		if rapid.Bool().Draw(t, "same") {
			b = policy.Principal{Kind: a.Kind, Name: strings.ToUpper(a.Name)}
		}
		same := a.Kind == b.Kind && strings.EqualFold(a.Name, b.Name)
		if (policy.Key(a) == policy.Key(b)) != same || (policy.Name(owner, a, 1) == policy.Name(owner, b, 1)) != same {
			t.Fatalf("%s and %s: %s and %s", a, b, policy.Name(owner, a, 1), policy.Name(owner, b, 1))
		}
	})
}

func TestNoShardOfOnePrincipalBeginsLikeThoseOfAnother(t *testing.T) {
	a := policy.Principal{Kind: policy.User, Name: "bob"}
	b := policy.Principal{Kind: policy.User, Name: "bob-smith"}
	if strings.HasPrefix(policy.Name(owner, b, 1), policy.Prefix(owner, a)) {
		t.Errorf("%s begins with %s", policy.Name(owner, b, 1), policy.Prefix(owner, a))
	}
}

func TestNamesThatAreNotOurs(t *testing.T) {
	for _, name := range []string{
		"",
		"ssma",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-0",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-01",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-1000000",
		"ssma-0a1b2c3d-x-user01-a4fb0d7f6eb1-1",
		"ssma-0A1B2C3D-u-user01-a4fb0d7f6eb1-1",
		"ssma-0a1b2c3d-u-User01-a4fb0d7f6eb1-1",
		"ssma-0a1b2c3d-u--a4fb0d7f6eb1-1",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb-1",
		"ssma-0a1b2c3d-u-" + strings.Repeat("a", 81) + "-a4fb0d7f6eb1-1",
		"ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-1\n",
		"xssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-1",
	} {
		if got, ok := policy.ParseName(name); ok {
			t.Errorf("%q is taken for ours: %+v", name, got)
		}
	}
}

func TestIllFormedOwnerNeverBecomesAPath(t *testing.T) {
	for _, bad := range []string{"", "0a1b2c3", "0a1b2c3d4", "0A1B2C3D", "0a1b2c3g", "*"} {
		if policy.ValidOwner(bad) {
			t.Errorf("%q is valid", bad)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q became the path %s", bad, policy.Path(bad))
				}
			}()
			policy.Path(bad)
		}()
	}
	if got := policy.Path(owner); got != "/ssm-access/0a1b2c3d/" {
		t.Errorf("path is %s", got)
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("ssma-0a1b2c3d-u-user01-a4fb0d7f6eb1-1")
	f.Add("ssma-0a1b2c3d-g-a-b-c-000000000000-999999")
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := policy.ParseName(name)
		if !ok {
			return
		}
		p := policy.Principal{Kind: got.Kind, Name: got.Label}
		again := policy.Name(got.Owner, p, got.Shard)
		if len(again) != len(name) || !strings.HasPrefix(again, name[:len("ssma-0a1b2c3d-u-")+len(got.Label)+1]) {
			t.Errorf("%q reads as %+v, which is %q", name, got, again)
		}
	})
}
