package collect

import (
	"context"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// documents reads the session documents in use in each region, and the logs and
// keys that they name.
func (t *taking) documents(ctx context.Context, names map[string][]string) {
	for _, name := range t.regionNames() {
		r := t.regions[name]
		r.documents = map[string]check.Known[check.Content]{}
		r.logging = &check.Logging{
			LogGroups: map[string]check.Known[check.LogGroup]{}, Buckets: map[string]check.Known[check.Bucket]{}, Keys: map[string]check.Key{},
		}
		wanted := slices.Clone(names[name])
		slices.Sort(wanted)
		wanted = slices.Compact(wanted)
		for _, document := range wanted[:min(len(wanted), maxDocuments)] {
			content := t.content(ctx, name, document)
			r.documents[document] = content
			if c, read := content.Get(); read {
				t.logs(ctx, name, r.logging, &c)
			}
		}
	}
}

// content is what a document asks for; the zero value where there is no such.
func (t *taking) content(ctx context.Context, region, name string) check.Known[check.Content] {
	if content, ours := check.AWSDocument(name); ours {
		return check.Is(content)
	}
	if strings.HasPrefix(name, "arn:") && !strings.Contains(name, ":ssm:"+region+":") {
		return check.Is(check.Content{}) // It is of another region.
	}
	text, ok, err := t.ssm(region).DefaultContent(ctx, name)
	if err != nil || !ok {
		return known(check.Content{}, err)
	}
	content, err := check.ParseContent(text)
	if err != nil {
		// Nothing is known about it, and no permission is missing.
		return check.Known[check.Content]{}
	}
	return check.Is(content)
}

// asks reports whether a document asks for logs or keys.
func (r *region) asks() bool {
	return r.logging != nil && len(r.logging.LogGroups)+len(r.logging.Buckets)+len(r.logging.Keys) > 0
}

// logs reads what a document names, each thing once.
func (t *taking) logs(ctx context.Context, region string, l *check.Logging, c *check.Content) {
	if c.SessionType != check.SessionPort {
		if _, done := l.LogGroups[c.LogGroup]; c.LogGroup != "" && !done {
			l.LogGroups[c.LogGroup] = t.logGroup(ctx, region, l, c.LogGroup)
		}
		if _, done := l.Buckets[c.Bucket]; c.Bucket != "" && !done {
			l.Buckets[c.Bucket] = t.bucket(ctx, region, c.Bucket)
		}
	}
	if _, done := l.Keys[c.SessionKey]; c.SessionKey != "" && !done {
		l.Keys[c.SessionKey] = t.key(ctx, region, c.SessionKey)
	}
}

func (t *taking) logGroup(ctx context.Context, region string, l *check.Logging, name string) check.Known[check.LogGroup] {
	group, ok, err := t.ssm(region).FindLogGroup(ctx, name)
	if err == nil && group.KeyARN != "" {
		t.logKey(ctx, region, l, group.KeyARN)
	}
	return known(check.LogGroup{Exists: ok, Key: group.KeyARN}, err)
}

// logKey reads the key of log groups, once for all of them.
func (t *taking) logKey(ctx context.Context, region string, l *check.Logging, arn string) {
	key, done := l.Keys[arn]
	if !done {
		key = t.key(ctx, region, arn)
	}
	if _, read := key.Policy.Get(); !read && key.Policy.Missing() == (check.Missing{}) {
		policy, err := t.ssm(region).KeyPolicy(ctx, arn)
		key.Policy = known(policy, err)
	}
	l.Keys[arn] = key
}

// bucket reads a bucket. Whether one in another region is encrypted is not
// known, and the rest depends on that.
func (t *taking) bucket(ctx context.Context, region, name string) check.Known[check.Bucket] {
	bucket, ok, err := t.ssm(region).FindBucket(ctx, name)
	if err == nil && bucket.Elsewhere {
		return check.Known[check.Bucket]{}
	}
	return known(check.Bucket{Exists: ok, Encrypted: bucket.Encrypted, Key: t.keyARN(ctx, region, bucket.Key)}, err)
}

// keyARN is the ARN of a bucket's key, which may have another name in the
// bucket's settings; empty where it is not known.
func (t *taking) keyARN(ctx context.Context, region, name string) string {
	if name == "" || strings.Contains(name, ":key/") {
		return name
	}
	key, _, err := t.ssm(region).FindKey(ctx, name)
	if err != nil {
		return ""
	}
	return key.ARN
}

// key reads a key. Of one that cannot be read, which a key of another account often is, the
// ARN is known all the same where it is not named by an alias.
func (t *taking) key(ctx context.Context, region, name string) check.Key {
	key, ok, err := t.ssm(region).FindKey(ctx, name)
	if err != nil {
		return check.Key{State: known("", err), ARN: ssm.KeyARN(t.partition, region, t.account, name)}
	}
	if !ok {
		return check.Key{State: known("", err)}
	}
	return check.Key{State: known(key.State, err), ARN: key.ARN}
}
