package awsemulator_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// As the agent does it (amazon-ssm-agent 3.3.1142.0, ReplaceParameters).
func TestASessionRunsWithTheValuesOfItsParameters(t *testing.T) {
	const content = `{"schemaVersion":"1.0","sessionType":"InteractiveCommands","parameters":{
		"text":{"type":"String","default":"t"},"list":{"type":"StringList","default":["a","b"]},"map":{"type":"StringMap","default":{"k":"v"}},
		"named_so":{"type":"String","default":"d"}},
		"properties":{"linux":{"commands":"run {{ text }} '{{ list }}' '{{map}}' {{ named_so }}"},"windows":{"commands":"{{ list }}"}}}`
	w := newWorld(t)
	if err := w.createDocument("values", content); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		given map[string][]string
		linux string
		alone any
	}{
		"defaults": {nil, `run t '["a","b"]' '{"k":"v"}' d`, []any{"a", "b"}},
		"given": {
			map[string][]string{"text": {"x"}, "list": {"c"}, "named_so": {"ignored"}}, `run x '["c"]' '{"k":"v"}' d`, []any{"c"},
		},
	} {
		out := must(w.ssm(admin).StartSession(ctx(t), &ssm.StartSessionInput{Target: aws.String(pc01), DocumentName: aws.String("values"), Parameters: c.given}))(t)
		documents := w.Account(account).Region(region).SSM
		session, _ := documents.Session(*out.SessionId)
		want := map[string]any{"linux": map[string]any{"commands": c.linux}, "windows": map[string]any{"commands": c.alone}}
		if got := documents.Plan(session).Properties; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the session runs %v, want %v", name, got, want)
		}
	}
}
