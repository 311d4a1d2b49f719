package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// tenGrants are 100 instances from ten grants, two of them with conditions of
// their own.
func tenGrants() []policy.Grant {
	var grants []policy.Grant
	ids := many(100)
	for i := range 10 {
		grants = append(grants, onInstances(fmt.Sprint("grant-", i), ids[i*10:i*10+10]...))
	}
	grants[3].NotAfter = noon.Add(24 * time.Hour)
	grants[7].RequireMFA = true
	return grants
}

func benchmark(b *testing.B, grants []policy.Grant, held []string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Compile(account, user01, grants, held, quotas, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func held(b *testing.B, grants []policy.Grant) []string {
	b.Helper()
	plan, err := policy.Compile(account, user01, grants, nil, quotas, noon)
	if err != nil {
		b.Fatal(err)
	}
	return plan.Documents
}

func BenchmarkCompile10x10(b *testing.B) { benchmark(b, tenGrants(), nil) }

// The benchmarks of a diff compile against documents that are held, and plan the
// writes that lead from these to what is wanted.

func BenchmarkDiff10x10Unchanged(b *testing.B) {
	benchmark(b, tenGrants(), held(b, tenGrants()))
}

func BenchmarkDiff10x10Narrowed(b *testing.B) {
	benchmark(b, tenGrants()[1:], held(b, tenGrants()))
}

func BenchmarkDiff10x10Widened(b *testing.B) {
	benchmark(b, tenGrants(), held(b, tenGrants()[1:]))
}

func BenchmarkDiff1x10Unchanged(b *testing.B) {
	grants := []policy.Grant{onInstances("a", many(10)...)}
	benchmark(b, grants, held(b, grants))
}

func BenchmarkCompile1x300(b *testing.B) {
	benchmark(b, []policy.Grant{onInstances("a", many(300)...)}, nil)
}

func BenchmarkDiff1x300Unchanged(b *testing.B) {
	grants := []policy.Grant{onInstances("a", many(300)...)}
	benchmark(b, grants, held(b, grants))
}

func BenchmarkBroaderAccess10x10(b *testing.B) {
	grants := tenGrants()
	for i := range grants {
		grants[i].Documents = []policy.Document{{Name: fmt.Sprint("doc-", i)}}
	}
	b.ReportAllocs()
	for b.Loop() {
		if pairs := policy.BroaderAccess(grants); len(pairs) != 90 {
			b.Fatalf("%d pairs", len(pairs))
		}
	}
}
