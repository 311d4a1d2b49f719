package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This package checks again everything that reaches a document, whatever the
// API server accepted: a wildcard or a quote in an ARN would widen the grant.
var (
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
	partitionForm = regexp.MustCompile(`^aws(-[a-z]+)*$`)
	regionForm    = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	principalForm = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]+$`)
	documentForm  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,128}$`)
	sharedForm    = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):ssm:[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}:[0-9]{12}:document/[A-Za-z0-9_.-]{3,128}$`)
	tagKeyForm    = regexp.MustCompile(`^[\p{L}\p{M}\p{Z}\p{N}_.:/=+@-]+$`)
	keyForm       = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):kms:([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:key/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$`)
)

// Limits of IAM names and of tags, in characters.
const (
	nameMax      = 64
	groupNameMax = 128
	tagKeyMax    = 128
	tagValueMax  = 256
)

// nodesMost bounds the nodes that a grant names, times its regions. Their ARNs
// alone would fill about a hundred policies, and a principal can have twenty.
const nodesMost = 10_000

func invalid(field, value, reason string) *InvalidError {
	return &InvalidError{Field: field, Value: value, Reason: reason}
}

// checkFrame checks what all grants of a compilation share.
func checkFrame(acct Account, p Principal, q Quotas) *InvalidError {
	if !accountForm.MatchString(acct.ID) {
		return invalid("account", acct.ID, "an account id has 12 digits")
	}
	if !partitionForm.MatchString(acct.Partition) {
		return invalid("partition", acct.Partition, "a partition is aws, aws-cn, aws-us-gov or of that form")
	}
	if _, ok := kindLetters[p.Kind]; !ok {
		return invalid("kind", string(p.Kind), "a principal is a User, Group, Role or PermissionSet")
	}
	limit := nameMax
	if p.Kind == Group {
		limit = groupNameMax
	}
	if len(p.Name) > limit || !principalForm.MatchString(p.Name) {
		return invalid("principal", p.Name, fmt.Sprintf("a name has at most %d letters, digits and _+=,.@-", limit))
	}
	if q.PolicySize <= 0 || q.Policies < -1 {
		return invalid("quotas", fmt.Sprintf("%d/%d", q.PolicySize, q.Policies), "the size of a policy is positive, and the number of policies is not negative or is -1 for unknown")
	}
	return nil
}

// checkGrant checks all of a grant that reaches a document, and gives what is
// wrong with it first.
func checkGrant(acct Account, g *Grant) *InvalidError {
	for _, check := range []func() *InvalidError{
		func() *InvalidError { return checkTargets(g.Targets) },
		func() *InvalidError { return checkExcluded(g.Excluded) },
		func() *InvalidError { return checkRegions(g.Regions) },
		func() *InvalidError { return checkHybrid(g) },
		func() *InvalidError { return checkNumber(g) },
		func() *InvalidError { return checkDocuments(acct, g.Documents) },
		func() *InvalidError { return checkEnums(g) },
		func() *InvalidError { return checkTimes(g) },
		func() *InvalidError { return checkSources(g.SourceCIDRs) },
	} {
		if err := check(); err != nil {
			err.Grant = g.ID
			return err
		}
	}
	return nil
}

func checkTargets(targets []Target) *InvalidError {
	if len(targets) == 0 {
		return invalid("targets", "", "a grant needs at least one")
	}
	for i, t := range targets {
		if len(t.InstanceIDs) == 0 && len(t.Tags) == 0 {
			return invalid(fmt.Sprintf("targets[%d]", i), "", "a target without ids and tags would mean every node")
		}
		for j, id := range t.InstanceIDs {
			if !validInstanceID(id) {
				return invalid(fmt.Sprintf("targets[%d].instanceIDs[%d]", i, j), id, "an instance id is i- or mi- and 17 hex digits (older ones i- and 8)")
			}
		}
		if err := checkTags(fmt.Sprintf("targets[%d].tags", i), t.Tags); err != nil {
			return err
		}
	}
	return nil
}

// validInstanceID is hand-written because it runs for every id of every grant.
func validInstanceID(id string) bool {
	digits, hybrid := strings.CutPrefix(id, "mi-")
	if !hybrid {
		var ec2 bool
		if digits, ec2 = strings.CutPrefix(id, "i-"); !ec2 {
			return false
		}
	}
	if len(digits) != 17 && (hybrid || len(digits) != 8) {
		return false
	}
	for i := range len(digits) {
		if c := digits[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// checkTags refuses keys that hold anything but what AWS allows in all services'
// tags: they become part of a condition key, where nothing can be escaped.
func checkTags(field string, tags map[string]string) *InvalidError {
	seen := make(map[string]string, len(tags))
	for _, key := range sortedKeys(tags) {
		if utf8.RuneCountInString(key) > tagKeyMax || !tagKeyForm.MatchString(key) {
			return invalid(field, key, fmt.Sprintf("a tag key has 1 to %d letters, digits, spaces and _.:/=+-@", tagKeyMax))
		}
		folded := strings.ToLower(key)
		if other, twice := seen[folded]; twice {
			return invalid(field, key, fmt.Sprintf("to IAM it is the same key as %q; keep one of them", other))
		}
		seen[folded] = key
		if v := tags[key]; utf8.RuneCountInString(v) > tagValueMax || !writable(v) {
			return invalid(field+"["+key+"]", v, fmt.Sprintf("a tag value has at most %d characters and no control characters", tagValueMax))
		}
	}
	return nil
}

func checkRegions(regions []string) *InvalidError {
	if len(regions) == 0 {
		return invalid("regions", "", "a grant needs at least one")
	}
	for _, r := range regions {
		if !regionForm.MatchString(r) {
			return invalid("regions", r, "a region is written as AWS spells it, for example ap-northeast-1")
		}
	}
	return nil
}

// checkHybrid refuses a limit to hybrid nodes that would leave none, or that
// something else contradicts.
func checkHybrid(g *Grant) *InvalidError {
	for i, t := range g.Targets {
		if t.HybridIn != "" && (len(t.InstanceIDs) > 0 || !slices.Contains(g.Regions, t.HybridIn)) {
			return invalid(fmt.Sprintf("targets[%d].hybridIn", i), t.HybridIn, "it is one of the grant's regions, and goes with tags and without ids")
		}
	}
	return nil
}

func checkNumber(g *Grant) *InvalidError {
	nodes := 0
	for _, t := range g.Targets {
		nodes += len(t.InstanceIDs) * len(g.Regions)
	}
	if nodes > nodesMost {
		return invalid("targets", fmt.Sprint(nodes), fmt.Sprintf("a grant names at most %d instances, counted in every region; use tags", nodesMost))
	}
	return nil
}

func checkDocuments(acct Account, docs []Document) *InvalidError {
	if len(docs) == 0 {
		return invalid("documents", "", "a grant needs at least one")
	}
	for _, d := range docs {
		if m := sharedForm.FindStringSubmatch(d.Name); !documentForm.MatchString(d.Name) && (m == nil || m[1] != acct.Partition) {
			return invalid("documents", d.Name, "a document is given by its name, of 3 to 128 letters, digits and _.-, or by the ARN of one that another account shares, in partition "+acct.Partition)
		}
		if d.KMSKeyARN == "" {
			continue
		}
		if m := keyForm.FindStringSubmatch(d.KMSKeyARN); m == nil || m[1] != acct.Partition {
			return invalid("documents["+d.Name+"].kmsKey", d.KMSKeyARN, "a key is given by its ARN, arn:"+acct.Partition+":kms:<region>:<account>:key/<id>, not by an alias")
		}
	}
	return nil
}

func checkEnums(g *Grant) *InvalidError {
	for _, c := range g.Clients {
		if _, ok := clientReads[c]; !ok {
			return invalid("clients", string(c), "a client is SessionManagerConsole, EC2Console or CLI")
		}
	}
	if !slices.Contains([]Scope{"", Username, OwnerTag}, g.OwnSessions) {
		return invalid("sessionScope", string(g.OwnSessions), "it is Username or OwnerTag")
	}
	if !slices.Contains([]DataChannelScope{"", DataChannelOwn, DataChannelAccount}, g.DataChannel) {
		return invalid("dataChannelScope", string(g.DataChannel), "it is Own or Account")
	}
	return nil
}

// maxYear is the last year that RFC 3339 can write.
const maxYear = 9999

func checkTimes(g *Grant) *InvalidError {
	for _, t := range []struct {
		field string
		year  int
	}{{"notBefore", g.NotBefore.UTC().Year()}, {"notAfter", g.NotAfter.UTC().Year()}} {
		if t.year > maxYear || t.year < 0 {
			return invalid(t.field, fmt.Sprint(t.year), "the year has four digits")
		}
	}
	if !g.NotBefore.IsZero() && !g.NotAfter.IsZero() && !g.NotBefore.Before(g.NotAfter) {
		return invalid("notAfter", g.NotAfter.UTC().Format(timeForm), "it must be later than notBefore")
	}
	return nil
}

func checkSources(cidrs []string) *InvalidError {
	for _, s := range cidrs {
		if _, err := parseSource(s); err != nil {
			return invalid("sourceCIDRs", s, "a range of addresses is written as address/bits, for example 203.0.113.0/24")
		}
	}
	return nil
}
