package check

import (
	"fmt"
	"strings"
)

// each takes the gravest finding on what the documents ask for.
func (v *view) each(name Name, judge func(d *Document, c *Content) (Check, bool)) Check {
	result := notNeeded(name)
	for i := range v.documents {
		var missing gaps
		content, known := need(&missing, v.documents[i].Content)
		found, concerned := missing.check(name), true
		if known {
			found, concerned = judge(&v.documents[i], &content)
		}
		switch {
		case !concerned:
		case result.Reason == NotNeeded && found.Result == Pass:
			result = found
		default:
			result = worse(result, found)
		}
	}
	return result
}

// logs reports whether sessions of this type have a log. Forwarded ports have
// none.
func (c *Content) logs() bool { return c.SessionType != SessionPort }

// keyEnabled is KeyState of a key that can be used.
const keyEnabled = "Enabled"

func (v *view) key(name string) Key { return v.logging.Keys[name] }

func sessionKey(v *view) Check {
	return v.each(CheckSessionKey, func(d *Document, c *Content) (Check, bool) {
		if c.SessionKey == "" {
			return Check{}, false
		}
		return v.usable(CheckSessionKey, c.SessionKey, fmt.Sprintf("Sessions with %s are encrypted with it.", d.Name)), true
	})
}

// usable is whether a key can be used at all.
func (v *view) usable(name Name, key, use string) Check {
	state, known := v.key(key).State.Get()
	switch {
	case !known:
		return v.unreadKey(name, key)
	case state == "":
		return fail(name, KeyNotFound, fmt.Sprintf("Key %s does not exist in %s. %s", key, v.Node.Region, use),
			"Create the key, or name another one.")
	case state != keyEnabled:
		return fail(name, KeyNotEnabled, fmt.Sprintf("Key %s is %s. %s", key, state, use),
			"Enable the key, or name another one.")
	default:
		return pass(name)
	}
}

// unreadKey is a check of a key whose state could not be read. No permission of
// the operator's role alone opens a key of another account.
func (v *view) unreadKey(name Name, key string) Check {
	var missing gaps
	need(&missing, v.key(key).State)
	c := missing.check(name)
	if owner, other := v.ofAnother(key); other && c.Reason == PermissionMissing {
		c.Message = fmt.Sprintf("The check %s was not made: key %s is of another account, %s: its own policy has to allow %s to the operator's role.", name, key, owner, list(c.Missing))
		c.Remedy = fmt.Sprintf("Allow it in the policy of the key and to the operator's role, or see in account %s that the key is enabled.", owner)
		c.Missing = nil
	}
	return c
}

// ofAnother is the account in a key's ARN, where it is not the node's.
func (v *view) ofAnother(key string) (string, bool) {
	parts := strings.Split(key, ":")
	if len(parts) < 6 || parts[0] != "arn" {
		return "", false
	}
	return parts[4], parts[4] != v.Node.Account
}

// withGroup judges the log groups that documents name.
func (v *view) withGroup(name Name, judge func(d *Document, c *Content, g LogGroup) (Check, bool)) Check {
	return v.each(name, func(d *Document, c *Content) (Check, bool) {
		if c.LogGroup == "" || !c.logs() {
			return Check{}, false
		}
		var missing gaps
		group, known := need(&missing, v.logging.LogGroups[c.LogGroup])
		if !known {
			return missing.check(name), true
		}
		return judge(d, c, group)
	})
}

func logGroup(v *view) Check {
	return v.withGroup(CheckLogGroup, func(d *Document, c *Content, g LogGroup) (Check, bool) {
		if g.Exists {
			return pass(CheckLogGroup), true
		}
		return fail(CheckLogGroup, LogGroupNotFound,
			fmt.Sprintf("Log group %s, which %s logs to, does not exist in %s; sessions with it do not start.", c.LogGroup, d.Name, v.Node.Region),
			"Create the log group, or name another one in the document."), true
	})
}

func logGroupEncryption(v *view) Check {
	return v.withGroup(CheckLogGroupEncryption, func(d *Document, c *Content, g LogGroup) (Check, bool) {
		switch {
		case !g.Exists || !c.LogGroupEncryption:
			return Check{}, false
		case g.Key != "":
			return pass(CheckLogGroupEncryption), true
		}
		return fail(CheckLogGroupEncryption, LogGroupNotEncrypted,
			fmt.Sprintf("%s insists on an encrypted log group, and %s has no key; sessions with it do not start.", d.Name, c.LogGroup),
			"Associate a key with the log group, or set cloudWatchEncryptionEnabled to false."), true
	})
}

// logKeyPolicy: without the key, sessions open and their log streams stay empty.
func logKeyPolicy(v *view) Check {
	return v.withGroup(CheckLogKeyPolicy, func(_ *Document, c *Content, g LogGroup) (Check, bool) {
		if g.Key == "" {
			return Check{}, false
		}
		use := fmt.Sprintf("Log group %s is encrypted with it.", c.LogGroup)
		return worse(v.usable(CheckLogKeyPolicy, g.Key, use), v.lets(g.Key, c.LogGroup)), true
	})
}

// logKeyActions are what CloudWatch Logs does with a key.
var logKeyActions = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}

// lets is whether the key's policy lets CloudWatch Logs use it for the group.
func (v *view) lets(key, group string) Check {
	var missing gaps
	policy, known := need(&missing, v.key(key).Policy)
	if owner, other := v.ofAnother(key); other && !known {
		c := missing.check(CheckLogKeyPolicy)
		c.Message = fmt.Sprintf("The check %s was not made: key %s is of another account, %s, which alone can read its policy.", CheckLogKeyPolicy, key, owner)
		c.Remedy = fmt.Sprintf("See in account %s that the key's policy lets CloudWatch Logs in %s use it.", owner, v.Node.Region)
		c.Missing = nil
		return c
	}
	if !known {
		return missing.check(CheckLogKeyPolicy)
	}
	statements, err := parsePolicy(policy)
	if err != nil {
		return notUnderstood(CheckLogKeyPolicy, "the policy of key "+key)
	}
	service := "logs." + v.Node.Region + ".amazonaws.com"
	arn := v.arn("logs", v.Node.Region, v.Node.Account, "log-group:"+group)
	c := pass(CheckLogKeyPolicy)
	remedy := fmt.Sprintf("Let %s encrypt and decrypt with it in the key's policy.", service)
	for _, action := range logKeyActions {
		switch evaluate(statements, request{action: action, service: []string{service, service + ".cn"}, keys: map[string]string{
			"kms:encryptioncontext:aws:logs:arn": arn, "aws:sourcearn": arn, "aws:sourceaccount": v.Node.Account,
		}}) {
		case denies:
			return fail(CheckLogKeyPolicy, LogKeyDenies,
				fmt.Sprintf("The policy of key %s does not let %s call %s for log group %s; the log streams of sessions stay empty.", key, service, action, group), remedy)
		case unclear:
			c = worse(c, warn(CheckLogKeyPolicy, LogKeyUnclear,
				fmt.Sprintf("The policy of key %s lets %s call %s under conditions only.", key, service, action), remedy))
		case allows:
		}
	}
	return c
}

// withBucket judges the buckets that documents name.
func (v *view) withBucket(name Name, judge func(d *Document, c *Content, b Bucket) (Check, bool)) Check {
	return v.each(name, func(d *Document, c *Content) (Check, bool) {
		if c.Bucket == "" || !c.logs() {
			return Check{}, false
		}
		var missing gaps
		bucket, known := need(&missing, v.logging.Buckets[c.Bucket])
		if !known {
			return missing.check(name), true
		}
		return judge(d, c, bucket)
	})
}

func logBucket(v *view) Check {
	return v.withBucket(CheckLogBucket, func(d *Document, c *Content, b Bucket) (Check, bool) {
		if b.Exists {
			return pass(CheckLogBucket), true
		}
		return fail(CheckLogBucket, BucketNotFound,
			fmt.Sprintf("Bucket %s, which %s logs to, does not exist.", c.Bucket, d.Name),
			"Create the bucket, or name another one in the document."), true
	})
}

func logBucketEncryption(v *view) Check {
	return v.withBucket(CheckLogBucketEncryption, func(d *Document, c *Content, b Bucket) (Check, bool) {
		switch {
		case !b.Exists || !c.BucketEncryption:
			return Check{}, false
		case b.Encrypted:
			return pass(CheckLogBucketEncryption), true
		}
		return fail(CheckLogBucketEncryption, BucketNotEncrypted,
			fmt.Sprintf("%s insists on an encrypted bucket, and %s is not; sessions with it do not start.", d.Name, c.Bucket),
			"Set a default encryption of the bucket, or set s3EncryptionEnabled to false."), true
	})
}
