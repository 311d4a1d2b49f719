package awsemulator_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestPolicyComesBackAsItWasWritten(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	document := `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/Näme":"a+b c%20é"}}}]}`
	created := must(c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{
		PolicyName: aws.String("P"), Path: aws.String("/a/b/"), PolicyDocument: aws.String(document), Description: aws.String("why"),
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}))(t).Policy
	if want := "arn:aws:iam::" + account + ":policy/a/b/P"; *created.Arn != want {
		t.Fatalf("the ARN is %s, want %s", *created.Arn, want)
	}
	got := must(c.GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: created.Arn}))(t).Policy
	if *got.Description != "why" || *got.DefaultVersionId != "v1" || len(got.Tags) != 1 || !got.CreateDate.Equal(start) {
		t.Fatalf("unexpected policy %+v", got)
	}
	version := must(c.GetPolicyVersion(ctx(t), &iam.GetPolicyVersionInput{PolicyArn: created.Arn, VersionId: aws.String("v1")}))(t).PolicyVersion
	if strings.ContainsAny(*version.Document, `{"+ `) {
		t.Fatalf("the document is not percent-encoded: %s", *version.Document)
	}
	if decoded := must(url.PathUnescape(*version.Document))(t); decoded != document {
		t.Fatalf("the document is %s, want %s", decoded, document)
	}
}

func TestPolicyNamesAreUniqueWhateverThePathAndCase(t *testing.T) {
	w := newWorld(t)
	w.newPolicy("Access", anyDocument)
	_, err := w.iam(admin).CreatePolicy(ctx(t), &iam.CreatePolicyInput{
		PolicyName: aws.String("aCCESS"), Path: aws.String("/other/"), PolicyDocument: aws.String(anyDocument),
	})
	wantCode(t, err, "EntityAlreadyExists")
}

func TestCreatePolicyRefusesWhatIAMRefuses(t *testing.T) {
	w := newWorld(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	sized := func(n int) string {
		empty := `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"a:b","Resource":"*"}]}`
		return strings.Replace(empty, `"Sid":""`, `"Sid":"`+long(n-len(empty))+`"`, 1)
	}
	for name, c := range map[string]struct {
		in   iam.CreatePolicyInput
		code string
	}{
		"a name with a slash":           {iam.CreatePolicyInput{PolicyName: aws.String("a/b"), PolicyDocument: aws.String(anyDocument)}, "ValidationError"},
		"a name of 129":                 {iam.CreatePolicyInput{PolicyName: aws.String(long(129)), PolicyDocument: aws.String(anyDocument)}, "ValidationError"},
		"a name of 128":                 {iam.CreatePolicyInput{PolicyName: aws.String(long(128)), PolicyDocument: aws.String(anyDocument)}, ""},
		"a path without its end":        {iam.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/a"), PolicyDocument: aws.String(anyDocument)}, "ValidationError"},
		"a path of 513":                 {iam.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/" + long(511) + "/"), PolicyDocument: aws.String(anyDocument)}, "ValidationError"},
		"a document that is no JSON":    {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String("nonsense")}, "MalformedPolicyDocument"},
		"a document of 2008":            {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.Replace(anyDocument, "2012", "2008", 1))}, "MalformedPolicyDocument"},
		"a document with kanji":         {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.Replace(anyDocument, "Allow", "許可", 1))}, "ValidationError"},
		"a document of 6144":            {iam.CreatePolicyInput{PolicyName: aws.String("q"), PolicyDocument: aws.String(sized(6144))}, ""},
		"a document of 6145":            {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(sized(6145))}, "LimitExceeded"},
		"a document of 6144 and spaces": {iam.CreatePolicyInput{PolicyName: aws.String("r"), PolicyDocument: aws.String(strings.ReplaceAll(sized(6144), ",", ",\n\t"))}, ""},
		"a tag key twice":               {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(anyDocument), Tags: tags("k", "K")}, "InvalidInput"},
		"51 tags":                       {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(anyDocument), Tags: tags(numbered(51)...)}, "LimitExceeded"},
		"50 tags":                       {iam.CreatePolicyInput{PolicyName: aws.String("s"), PolicyDocument: aws.String(anyDocument), Tags: tags(numbered(50)...)}, ""},
		"a tag key reserved for AWS":    {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(anyDocument), Tags: tags("aws:x")}, "InvalidInput"},
		"a tag value of 257":            {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(anyDocument), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String(long(257))}}}, "ValidationError"},
		"a description of 1001":         {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(anyDocument), Description: aws.String(long(1001))}, "ValidationError"},
		"an action without its service": {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.Replace(anyDocument, "ec2:", "", 1))}, "MalformedPolicyDocument"},
		"a resource that is no ARN":     {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.Replace(anyDocument, `"*"`, `"x"`, 1))}, "MalformedPolicyDocument"},
		"a principal in an own policy":  {iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(strings.Replace(anyDocument, `"Effect"`, `"Principal":"*","Effect"`, 1))}, "MalformedPolicyDocument"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.iam(admin).CreatePolicy(ctx(t), &c.in)
			wantCode(t, err, c.code)
		})
	}
}

func tags(keys ...string) []types.Tag {
	var list []types.Tag
	for _, k := range keys {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String("v")})
	}
	return list
}

func numbered(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("k%d", i))
	}
	return list
}

func TestPolicyHoldsFiveVersionsAndKeepsItsDefault(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	for range 4 {
		must(c.CreatePolicyVersion(ctx(t), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(anyDocument), SetAsDefault: true}))(t)
	}
	_, err := c.CreatePolicyVersion(ctx(t), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "LimitExceeded")
	_, err = c.DeletePolicyVersion(ctx(t), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v5")})
	wantCode(t, err, "DeleteConflict")
	must(c.DeletePolicyVersion(ctx(t), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))(t)
	_, err = c.DeletePolicyVersion(ctx(t), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	wantCode(t, err, "NoSuchEntity")
	next := must(c.CreatePolicyVersion(ctx(t), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(anyDocument)}))(t)
	if *next.PolicyVersion.VersionId != "v6" || next.PolicyVersion.IsDefaultVersion {
		t.Fatalf("the next version is %s, default %v", *next.PolicyVersion.VersionId, next.PolicyVersion.IsDefaultVersion)
	}
	must(c.SetDefaultPolicyVersion(ctx(t), &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))(t)
	var ids []string
	for _, v := range must(c.ListPolicyVersions(ctx(t), &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions {
		id := *v.VersionId
		if v.IsDefaultVersion {
			id += "*"
		}
		ids = append(ids, id)
	}
	if got := strings.Join(ids, " "); got != "v6 v5 v4 v3 v2*" {
		t.Fatalf("the versions are %s", got)
	}
}

func TestPolicyInUseCannotBeDeleted(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	remove := func() error {
		_, err := c.DeletePolicy(ctx(t), &iam.DeletePolicyInput{PolicyArn: arn})
		return err
	}
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("USER01"), PolicyArn: arn}))(t)
	wantCode(t, remove(), "DeleteConflict")
	must(c.DetachUserPolicy(ctx(t), &iam.DetachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: arn}))(t)
	must(c.PutUserPermissionsBoundary(ctx(t), &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("user01"), PermissionsBoundary: arn}))(t)
	wantCode(t, remove(), "DeleteConflict")
	must(c.DeleteUserPermissionsBoundary(ctx(t), &iam.DeleteUserPermissionsBoundaryInput{UserName: aws.String("user01")}))(t)
	must(c.CreatePolicyVersion(ctx(t), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(anyDocument)}))(t)
	wantCode(t, remove(), "DeleteConflict")
	must(c.DeletePolicyVersion(ctx(t), &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))(t)
	wantCode(t, remove(), "")
	wantCode(t, remove(), "NoSuchEntity")
}

func TestPoliciesOfAccountAreLimited(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	// The fixture holds one policy already.
	w.Account(account).IAM.SetQuota("PoliciesQuota", 2)
	w.newPolicy("a", anyDocument)
	_, err := c.CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("b"), PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "LimitExceeded")
	summary := must(c.GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{}))(t).SummaryMap
	for name, want := range map[string]int32{
		"PoliciesQuota": 2, "Policies": 2, "Users": 4, "PolicySizeQuota": 6144, "AttachedPoliciesPerUserQuota": 10,
		"VersionsPerPolicyQuota": 5, "UserPolicySizeQuota": 2048, "GroupsPerUserQuota": 10,
	} {
		if summary[name] != want {
			t.Errorf("%s is %d, want %d", name, summary[name], want)
		}
	}
}

func TestAttachmentsOfEntityAreLimited(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	var last *string
	for i := range 11 {
		last = aws.String(w.newPolicy(fmt.Sprintf("p%d", i), anyDocument))
		_, err := c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: last})
		want := ""
		if i == 10 {
			want = "LimitExceeded"
		}
		wantCode(t, err, want)
	}
	// Attached already is done, full or not.
	first := aws.String("arn:aws:iam::" + account + ":policy/ssm-access/0a1b2c3d/p0")
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: first}))(t)
	_, err := c.DetachUserPolicy(ctx(t), &iam.DetachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: last})
	wantCode(t, err, "NoSuchEntity")
	_, err = c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("nobody"), PolicyArn: first})
	wantCode(t, err, "NoSuchEntity")
	_, err = c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: aws.String(*first + "x")})
	wantCode(t, err, "NoSuchEntity")
	// The path is part of the ARN.
	_, err = c.GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::" + account + ":policy/p0")})
	wantCode(t, err, "NoSuchEntity")
}

func TestPolicyTagsAreChangedAndListed(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	must(c.TagPolicy(ctx(t), &iam.TagPolicyInput{PolicyArn: arn, Tags: tags("a", "b")}))(t)
	must(c.TagPolicy(ctx(t), &iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: aws.String("A"), Value: aws.String("w")}}}))(t)
	must(c.UntagPolicy(ctx(t), &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"b"}}))(t)
	list := must(c.ListPolicyTags(ctx(t), &iam.ListPolicyTagsInput{PolicyArn: arn}))(t).Tags
	if len(list) != 1 || *list[0].Key != "A" || *list[0].Value != "w" {
		t.Fatalf("the tags are %+v", list)
	}
	_, err := c.TagPolicy(ctx(t), &iam.TagPolicyInput{PolicyArn: arn, Tags: tags(numbered(50)...)})
	wantCode(t, err, "LimitExceeded")
}
