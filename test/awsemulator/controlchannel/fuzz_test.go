package controlchannel

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/datachannel"
)

// FuzzCompletionTakesAnything feeds the service with what a hostile agent could send: whole
// frames, and any JSON in frames that are right.
func FuzzCompletionTakesAnything(f *testing.F) {
	f.Add([]byte(`{"TaskId":"user01-abc","FinalTaskStatus":"Failed","Output":"no such user"}`), typeComplete)
	f.Add([]byte(`{"TaskId":7}`), typeComplete)
	f.Add([]byte(`[]`), "agent_telemetry")
	f.Fuzz(func(t *testing.T, payload []byte, kind string) {
		now := time.UnixMilli(1)
		for _, raw := range [][]byte{
			payload,
			datachannel.Frame{Type: kind, Schema: 1, Created: now, ID: uuid.New(), Payload: payload}.Marshal(),
		} {
			done, answer, ok := completion(raw, now)
			if !ok {
				continue
			}
			f, err := datachannel.Parse(answer)
			if err != nil || f.Type != typeAcknowledge || done.TaskId == "" {
				t.Fatalf("the answer is %+v (%v)", f, err)
			}
		}
	})
}
