package policy_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// shards compiles under a size that often needs several policies. Sometimes a
// single statement does not fit; then the default size is taken.
func shards(t *rapid.T, p policy.Principal, grants []policy.Grant) []string {
	q := policy.Quotas{PolicySize: rapid.IntRange(700, 6144).Draw(t, "size"), Policies: -1}
	plan, err := policy.Compile(account, p, grants, nil, q, noon)
	if err != nil {
		q.PolicySize = 1 << 20
		if plan, err = policy.Compile(account, p, grants, nil, q, noon); err != nil {
			t.Fatalf("compile: %v", err)
		}
	}
	for _, doc := range plan.Documents {
		if len(doc) > q.PolicySize {
			t.Fatalf("%d characters exceed %d: %s", len(doc), q.PolicySize, doc)
		}
	}
	return plan.Documents
}

// atNoon leaves out what is over when the grants are compiled.
func atNoon(grants []policy.Grant) []policy.Grant {
	return slices.DeleteFunc(slices.Clone(grants), func(g policy.Grant) bool { return g.Expired(noon) })
}

func TestSessionsOpenExactlyWhereSomeGrantSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, grants := drawKind(t), drawGrants(t, 4)
		j := newJudge(t, p, shards(t, p, grants))
		for range 20 {
			n, c := drawNode(t), drawCircumstances(t)
			live := slices.DeleteFunc(atNoon(grants), func(g policy.Grant) bool { return !c.allow(g) })
			if got, want := j.allowed("ssm:StartSession", n.arn(), c, n.context()), slices.ContainsFunc(live, n.targeted); got != want {
				t.Fatalf("node %+v in %+v: allowed %t, granted %t\n%+v\n%+v", n, c, got, want, grants, j)
			}
			name := rapid.SampledFrom(append([]string{"audited-", "AWS-RunShellScript"}, documentPool...)).Draw(t, "document")
			want := slices.ContainsFunc(live, func(g policy.Grant) bool { return named(g, n.region, name) })
			check := map[string]string{"ssm:SessionDocumentAccessCheck": "true"}
			if got := j.allowed("ssm:StartSession", documentARN(n.region, name), c, check); got != want {
				t.Fatalf("document %s in %+v: allowed %t, granted %t\n%+v", name, c, got, want, grants)
			}
		}
	})
}

func TestOwnSessionsOnlyAreResumedAndEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, grants := drawKind(t), drawGrants(t, 3)
		j := newJudge(t, p, shards(t, p, grants))
		for range 10 {
			c := drawCircumstances(t)
			session := rapid.SampledFrom([]string{"user01-0123456789abcdef0", "user02-0123456789abcdef0", "somebody-0123456789abcdef0", "AIDAEXAMPLE-0123456789abcdef0"}).Draw(t, "session")
			owner := rapid.SampledFrom([]string{"AIDAEXAMPLE", "AROAEXAMPLE:somebody", "AIDAOTHER"}).Draw(t, "owner")
			byName := func(g policy.Grant) bool {
				return (p.Kind == policy.User || p.Kind == policy.Group) && g.OwnSessions != policy.OwnerTag
			}
			own := slices.ContainsFunc(atNoon(grants), func(g policy.Grant) bool {
				return c.allow(g) && (byName(g) && strings.HasPrefix(session, "user01-") || !byName(g) && owner == j.userID)
			})
			channel := slices.ContainsFunc(atNoon(grants), func(g policy.Grant) bool {
				return c.allow(g) && (!byName(g) || g.DataChannel == policy.DataChannelAccount ||
					strings.HasPrefix(session, "user01-") || strings.HasPrefix(session, j.userID+"-"))
			})
			arn := "arn:aws:ssm:eu-west-1:488821267897:session/" + session
			tag := map[string]string{"ssm:resourceTag/aws:ssmmessages:session-id": owner}
			for action, want := range map[string]bool{
				"ssm:ResumeSession": own, "ssm:TerminateSession": own, "ssmmessages:OpenDataChannel": channel, "ssm:StartSession": false,
			} {
				if got := j.allowed(action, arn, c, tag); got != want {
					t.Fatalf("%s on %s of %s by %s: allowed %t, granted %t\n%+v", action, session, owner, p, got, want, grants)
				}
			}
		}
	})
}

// readsOf spells out the reads by client a second time.
func readsOf(c policy.Client) string {
	switch c {
	case policy.CLI:
		return "ec2:DescribeInstances"
	case policy.SessionManagerConsole:
		return "ec2:DescribeInstances ssm:DescribeSessions ssm:GetConnectionStatus ssm:DescribeInstanceProperties"
	default:
		return readsOf(policy.SessionManagerConsole) + " ssm:DescribeInstanceInformation"
	}
}

func TestReadsAndKeysComeWithTheirGrants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, grants := drawKind(t), drawGrants(t, 3)
		j := newJudge(t, p, shards(t, p, grants))
		c := drawCircumstances(t)
		live := slices.DeleteFunc(atNoon(grants), func(g policy.Grant) bool { return !c.allow(g) })
		for _, action := range []string{
			"ec2:DescribeInstances", "ssm:DescribeSessions", "ssm:GetConnectionStatus", "ssm:DescribeInstanceProperties",
			"ssm:DescribeInstanceInformation", "ssm:SendCommand", "ec2:StopInstances",
		} {
			want := slices.ContainsFunc(live, func(g policy.Grant) bool {
				return slices.ContainsFunc(g.Clients, func(c policy.Client) bool { return slices.Contains(strings.Fields(readsOf(c)), action) })
			})
			if got := j.allowed(action, "*", c, nil); got != want {
				t.Fatalf("%s: allowed %t, granted %t\n%+v", action, got, want, grants)
			}
		}
		for _, key := range keyPool {
			want := slices.ContainsFunc(live, func(g policy.Grant) bool {
				return slices.Contains(g.Regions, strings.Split(key, ":")[3]) &&
					slices.ContainsFunc(g.Documents, func(d policy.Document) bool { return d.KMSKeyARN == key })
			})
			if got := j.allowed("kms:GenerateDataKey", key, c, nil); got != want {
				t.Fatalf("%s: allowed %t, granted %t\n%+v", key, got, want, grants)
			}
			if j.allowed("kms:Decrypt", key, c, nil) {
				t.Fatalf("kms:Decrypt is allowed on %s", key)
			}
		}
	})
}

func TestOrderOfDeclarationDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, grants := drawKind(t), drawGrants(t, 5)
		q := policy.Quotas{PolicySize: rapid.IntRange(600, 6144).Draw(t, "size"), Policies: rapid.IntRange(-1, 6).Draw(t, "policies")}
		a, errA := policy.Compile(account, p, grants, nil, q, noon)
		b, errB := policy.Compile(account, p, shuffled(t, grants), nil, q, noon)
		if !slices.Equal(a.Documents, b.Documents) || !slices.Equal(a.Writes, b.Writes) || !slices.Equal(a.Incomplete, b.Incomplete) {
			t.Fatalf("\n%+v\n%+v", a, b)
		}
		if (errA == nil) != (errB == nil) || errA != nil && errA.Error() != errB.Error() {
			t.Fatalf("\n%v\n%v", errA, errB)
		}
	})
}
