package check_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func BenchmarkJudgeConnected(b *testing.B) {
	f := changed(stack(), func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) })
	f.Documents = f.Documents[:1]
	b.ReportAllocs()
	for b.Loop() {
		check.Judge(f)
	}
}

func BenchmarkJudgeNotConnected(b *testing.B) {
	f := stack()
	b.ReportAllocs()
	for b.Loop() {
		check.Judge(f)
	}
}
