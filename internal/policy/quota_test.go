package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// many returns n instance ids.
func many(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%017x", i)
	}
	return ids
}

func TestThreeHundredInstancesFitIntoFourPolicies(t *testing.T) {
	docs := compiled(t, user01, onInstances("a", many(300)...))
	// An instance takes its ARN of 68 characters, two quotes and a comma.
	if least := (300*71 + quotas.PolicySize - 1) / quotas.PolicySize; len(docs) != 4 || least != 4 {
		t.Errorf("%d policies, at least %d are needed", len(docs), least)
	}
	for i, doc := range docs {
		if size := authz.MinifiedSize([]byte(doc)); size > quotas.PolicySize {
			t.Errorf("policy %d has %d characters", i+1, size)
		}
	}
	for _, sid := range []string{`"Discover"`, `"OwnSessions"`, `"DataChannel"`} {
		if n := strings.Count(strings.Join(docs, ""), sid); n != 1 {
			t.Errorf("%s stands in %d policies, want one", sid, n)
		}
	}
}

func TestSizeIsCountedNeverLessThanIAMCounts(t *testing.T) {
	g := onInstances("a")
	g.Targets[0].Tags = map[string]string{"部署 A": "営業 é \"\\ \t😀"}
	doc := one(t, user01, g)
	size := authz.MinifiedSize([]byte(doc))
	if _, err := policy.Compile(account, user01, []policy.Grant{g}, nil, policy.Quotas{PolicySize: len(doc), Policies: 1}, noon); err != nil {
		t.Errorf("%d characters do not fit into %d: %v", size, len(doc), err)
	}
	if len(doc) < size {
		t.Errorf("counted %d, IAM counts %d", len(doc), size)
	}
	plan, err := policy.Compile(account, user01, []policy.Grant{g}, nil, policy.Quotas{PolicySize: size - 1, Policies: -1}, noon)
	if err != nil || len(plan.Documents) != 2 {
		t.Errorf("one character less: %d policies, %v", len(plan.Documents), err)
	}
}

func TestTooManyPoliciesSayByHowMuchAndStillNarrow(t *testing.T) {
	small, large := onInstances("small", many(200)...), onInstances("large", many(1000)...)
	small.Targets[0].InstanceIDs = append(small.Targets[0].InstanceIDs, "i-12345678")
	held := compiled(t, user01, small)
	large.Targets[0].InstanceIDs = large.Targets[0].InstanceIDs[100:]
	fits := onInstances("fits", many(150)[120:]...)
	plan, err := policy.Compile(account, user01, []policy.Grant{large, fits}, held, quotas, noon)
	var tooLarge *policy.TooLargeError
	if !errors.As(err, &tooLarge) {
		t.Fatalf("error is %v", err)
	}
	// 900 instances of 71 characters are 63,900, and ten policies hold 61,440.
	if tooLarge.Needed != 11 || tooLarge.Allowed != 10 || !slices.Equal(tooLarge.Grants, []string{"large"}) || !slices.Equal(plan.Incomplete, []string{"large"}) {
		t.Errorf("got %+v, incomplete %q", tooLarge, plan.Incomplete)
	}
	if want := "User/user01 needs at least 11 policies of 6144 characters, 1 more than the 10 it may have"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("message is %q", err)
	}
	left := atomsOf(t, plan.Documents...)
	for i, id := range many(1000) {
		arn := "ssm:StartSession arn:aws:ec2:ap-northeast-1:488821267897:instance/" + id + ` {"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},` + namedUser + `}`
		if want := i >= 100 && i < 200; left[arn] != want {
			t.Errorf("instance %d: held %t, want %t", i, left[arn], want)
		}
	}
	for _, w := range plan.Writes {
		if w.Grows || !w.Narrows {
			t.Errorf("write to shard %d does not narrow", w.Shard)
		}
	}
}

func TestUnknownNumberOfPoliciesIsHardlyALimit(t *testing.T) {
	plan, err := policy.Compile(account, user01, []policy.Grant{onInstances("a", many(2000)...)}, nil, policy.Quotas{PolicySize: 6144, Policies: -1}, noon)
	if err != nil || len(plan.Documents) < 20 {
		t.Errorf("%d policies, %v", len(plan.Documents), err)
	}
	var absurd []policy.Grant
	for i := range 100 {
		g := onInstances(fmt.Sprint("g", i), many(10_000)...)
		g.NotAfter = noon.Add(time.Duration(i+1) * time.Hour)
		absurd = append(absurd, g)
	}
	_, err = policy.Compile(account, user01, absurd, nil, policy.Quotas{PolicySize: 6144, Policies: -1}, noon)
	var tooLarge *policy.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Needed < 10_000 || tooLarge.Allowed != 100 {
		t.Errorf("a million instances: %v", err)
	}
}

func TestStatementThatCannotBeSplitSaysByHowMuch(t *testing.T) {
	fine, vast := onInstances("fine", "i-051cac51072605f39"), onInstances("vast")
	vast.Targets[0].Tags = map[string]string{}
	for i := range 20 {
		vast.Targets[0].Tags[fmt.Sprintf("key-%02d", i)] = strings.Repeat("値", 100)
	}
	held := []string{one(t, user01, fine)}
	plan, err := policy.Compile(account, user01, []policy.Grant{fine, vast}, held, quotas, noon)
	var tooLarge *policy.TooLargeError
	if !errors.As(err, &tooLarge) || !tooLarge.Indivisible || !slices.Equal(tooLarge.Grants, []string{"vast"}) {
		t.Fatalf("error is %v", err)
	}
	// Each tag takes 100 times six characters, and its key, quotes and marks.
	if least := 20 * (600 + len(`"ssm:resourceTag/key-00":"",`)); tooLarge.Allowed != 6144 || tooLarge.Needed < least || tooLarge.Needed > least+300 {
		t.Errorf("needed %d of %d", tooLarge.Needed, tooLarge.Allowed)
	}
	if want := fmt.Sprintf("one statement for User/user01 needs %d characters, %d more than the 6144 that a policy may have", tooLarge.Needed, tooLarge.Needed-6144); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("message is %q", err)
	}
	if !slices.Equal(plan.Documents, held) || len(plan.Writes) > 0 || !slices.Equal(plan.Incomplete, []string{"vast"}) {
		t.Errorf("what is held does not stay: %+v", plan)
	}
}

func TestSparsePoliciesAreUsedBeforeAGrantIsRefused(t *testing.T) {
	// Ten policies, which lose most of their instances afterwards.
	held := compiled(t, user01, onInstances("a", many(800)...))
	if len(held) != 10 {
		t.Fatalf("%d policies", len(held))
	}
	ids := slices.DeleteFunc(many(800), func(id string) bool { return id[len(id)-1] != '0' })
	sparse, err := policy.Compile(account, user01, []policy.Grant{onInstances("a", ids...)}, held, quotas, noon)
	if err != nil || countDocs(sparse.Documents) != 10 {
		t.Fatalf("%d policies, %v", countDocs(sparse.Documents), err)
	}
	tagged := onInstances("b")
	tagged.NotAfter = noon.Add(time.Hour)
	tagged.Targets[0].Tags = map[string]string{"Env": strings.Repeat("値", 255), "Role": strings.Repeat("値", 255), "Team": strings.Repeat("値", 255)}
	grants := []policy.Grant{onInstances("a", ids...), tagged}
	q := policy.Quotas{PolicySize: 6144, Policies: 3}
	plan, err := policy.Compile(account, user01, grants, sparse.Documents, q, noon)
	if err != nil || countDocs(plan.Documents) > 3 {
		t.Fatalf("%d policies, %v", countDocs(plan.Documents), err)
	}
	replay(t, sparse.Documents, plan, all(t, user01, grants), q)
}

func TestPolicyThatOutgrewItsQuotaIsSplitWithoutAGap(t *testing.T) {
	grants := []policy.Grant{onInstances("a", many(60)...)}
	held := []string{one(t, user01, grants...)}
	q := policy.Quotas{PolicySize: 4000, Policies: 2}
	plan, err := policy.Compile(account, user01, grants, held, q, noon)
	if err != nil || len(plan.Documents) != 2 {
		t.Fatalf("%d policies, %v", len(plan.Documents), err)
	}
	replay(t, held, plan, all(t, user01, grants), q)
}
