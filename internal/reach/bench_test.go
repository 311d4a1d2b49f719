package reach_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

func BenchmarkJudgeConnected(b *testing.B) {
	f := changed(stack(), func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })
	f.Documents = f.Documents[:1]
	b.ReportAllocs()
	for b.Loop() {
		reach.Judge(f)
	}
}

func BenchmarkJudgeNotConnected(b *testing.B) {
	f := stack()
	b.ReportAllocs()
	for b.Loop() {
		reach.Judge(f)
	}
}
