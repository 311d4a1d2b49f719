package stack

import (
	"encoding/json"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/kms"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/s3"
)

func removeLogGroup(t target) (undo, error) {
	g, ok := t.Logs.Group(fixtures.S7LogGroup)
	if !ok {
		return nil, notHere("there is no log group %s", fixtures.S7LogGroup)
	}
	if err := t.Logs.Remove(g.Name); err != nil {
		return nil, err
	}
	return func() error {
		t.Logs.Put(g)
		return nil
	}, nil
}

func decryptLogGroup(t target) (undo, error) {
	g, ok := t.Logs.Group(fixtures.S7LogGroup)
	if !ok || g.KeyARN == "" {
		return nil, notHere("there is no encrypted log group %s", fixtures.S7LogGroup)
	}
	plain := *g
	plain.KeyARN = ""
	t.Logs.Put(&plain)
	return func() error {
		again := *g
		t.Logs.Put(&again)
		return nil
	}, nil
}

// withoutLogsPrincipal takes the statement that lets CloudWatch Logs use the
// key out of the key policy.
func withoutLogsPrincipal(t target) (undo, error) {
	k, ok := t.Keys.Key(fixtures.S7Key)
	if !ok {
		return nil, notHere("there is no key %s", fixtures.S7Key)
	}
	text, taken, err := withoutStatements(k.Policy, func(s map[string]json.RawMessage) bool {
		return strings.Contains(string(s["Principal"]), `"logs.`)
	})
	switch {
	case err != nil:
		return nil, err
	case len(taken) == 0:
		return nil, notHere("the policy of the key %s does not name CloudWatch Logs", k.ID)
	}
	return t.setKeyPolicy(k, text)
}

func (t target) setKeyPolicy(k *kms.Key, text string) (undo, error) {
	if err := t.Keys.SetPolicy(k.ID, text); err != nil {
		return nil, err
	}
	return func() error { return t.Keys.SetPolicy(k.ID, k.Policy) }, nil
}

func removeBucket(t target) (undo, error) {
	b, ok := t.Buckets.Bucket(fixtures.S7Bucket)
	if !ok {
		return nil, notHere("there is no bucket %s", fixtures.S7Bucket)
	}
	if err := t.Buckets.Remove(b.Name); err != nil {
		return nil, err
	}
	return func() error { return t.Buckets.Put(b) }, nil
}

func decryptBucket(t target) (undo, error) {
	b, ok := t.Buckets.Bucket(fixtures.S7Bucket)
	if !ok || b.Encryption == "" {
		return nil, notHere("there is no encrypted bucket %s", fixtures.S7Bucket)
	}
	set := func(algorithm, key string) error {
		return t.Buckets.Change(b.Name, func(x *s3.Bucket) { x.Encryption, x.KeyARN = algorithm, key })
	}
	return func() error { return set(b.Encryption, b.KeyARN) }, set("", "")
}
