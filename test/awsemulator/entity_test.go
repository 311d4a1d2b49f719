package awsemulator_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const trustEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func TestUserLivesInGroupsUntilRemoved(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("Web"), Path: aws.String("/teams/")}))(t)
	must(c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("bob"), Tags: tags("k")}))(t)
	_, err := c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("BOB"), Path: aws.String("/x/")})
	wantCode(t, err, "EntityAlreadyExists")
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("web"), UserName: aws.String("Bob")}))(t)
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("Web"), UserName: aws.String("bob")}))(t)
	group := must(c.GetGroup(ctx(t), &iam.GetGroupInput{GroupName: aws.String("Web")}))(t)
	if len(group.Users) != 1 || *group.Users[0].UserName != "bob" {
		t.Fatalf("the members are %+v", group.Users)
	}
	groups := must(c.ListGroupsForUser(ctx(t), &iam.ListGroupsForUserInput{UserName: aws.String("bob")}))(t).Groups
	if len(groups) != 1 || *groups[0].Arn != "arn:aws:iam::"+account+":group/teams/Web" {
		t.Fatalf("the groups are %+v", groups)
	}
	_, err = c.DeleteUser(ctx(t), &iam.DeleteUserInput{UserName: aws.String("bob")})
	wantCode(t, err, "DeleteConflict")
	_, err = c.DeleteGroup(ctx(t), &iam.DeleteGroupInput{GroupName: aws.String("Web")})
	wantCode(t, err, "DeleteConflict")
	must(c.RemoveUserFromGroup(ctx(t), &iam.RemoveUserFromGroupInput{GroupName: aws.String("Web"), UserName: aws.String("bob")}))(t)
	_, err = c.RemoveUserFromGroup(ctx(t), &iam.RemoveUserFromGroupInput{GroupName: aws.String("Web"), UserName: aws.String("bob")})
	wantCode(t, err, "NoSuchEntity")
	must(c.DeleteUser(ctx(t), &iam.DeleteUserInput{UserName: aws.String("bob")}))(t)
	must(c.DeleteGroup(ctx(t), &iam.DeleteGroupInput{GroupName: aws.String("Web")}))(t)
	_, err = c.GetUser(ctx(t), &iam.GetUserInput{UserName: aws.String("bob")})
	wantCode(t, err, "NoSuchEntity")
}

func TestUserIsInTenGroupsAtMost(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	for i, name := range numbered(11) {
		must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String(name)}))(t)
		_, err := c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String(name), UserName: aws.String("user01")})
		if i < 10 {
			wantCode(t, err, "")
		} else {
			wantCode(t, err, "LimitExceeded")
		}
	}
}

func TestRolesOfAWSCannotBeModified(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	for name, path := range map[string]string{
		"AWSReservedSSO_Admin_0123456789abcdef": "/aws-reserved/sso.amazonaws.com/", "AWSServiceRoleForX": "/aws-service-role/x.amazonaws.com/",
	} {
		must(c.CreateRole(ctx(t), &iam.CreateRoleInput{RoleName: aws.String(name), Path: aws.String(path), AssumeRolePolicyDocument: aws.String(trustEC2)}))(t)
		_, err := c.AttachRolePolicy(ctx(t), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: arn})
		wantCode(t, err, "UnmodifiableEntity")
		_, err = c.PutRolePolicy(ctx(t), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("x"), PolicyDocument: aws.String(anyDocument)})
		wantCode(t, err, "UnmodifiableEntity")
	}
}

func TestInlinePoliciesShareOneSize(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	put := func(name string, size int) error {
		document := strings.Replace(anyDocument, `"Effect"`, `"Sid":"`+strings.Repeat("x", size)+`","Effect"`, 1)
		_, err := c.PutUserPolicy(ctx(t), &iam.PutUserPolicyInput{UserName: aws.String("user01"), PolicyName: aws.String(name), PolicyDocument: aws.String(document)})
		return err
	}
	wantCode(t, put("a", 900), "")
	wantCode(t, put("b", 1000), "LimitExceeded")
	wantCode(t, put("a", 1000), "")
	got := must(c.GetUserPolicy(ctx(t), &iam.GetUserPolicyInput{UserName: aws.String("user01"), PolicyName: aws.String("a")}))(t)
	if !strings.Contains(must(url.PathUnescape(*got.PolicyDocument))(t), strings.Repeat("x", 1000)) {
		t.Fatal("the document is not the one that was put last")
	}
	names := must(c.ListUserPolicies(ctx(t), &iam.ListUserPoliciesInput{UserName: aws.String("user01")}))(t).PolicyNames
	if len(names) != 1 {
		t.Fatalf("the embedded policies are %v", names)
	}
	must(c.DeleteUserPolicy(ctx(t), &iam.DeleteUserPolicyInput{UserName: aws.String("user01"), PolicyName: aws.String("a")}))(t)
	_, err := c.GetUserPolicy(ctx(t), &iam.GetUserPolicyInput{UserName: aws.String("user01"), PolicyName: aws.String("a")})
	wantCode(t, err, "NoSuchEntity")
}

func TestPolicyNamesItsHolders(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("web")}))(t)
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: arn}))(t)
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user02"), PolicyArn: arn}))(t)
	must(c.AttachGroupPolicy(ctx(t), &iam.AttachGroupPolicyInput{GroupName: aws.String("web"), PolicyArn: arn}))(t)
	must(c.AttachRolePolicy(ctx(t), &iam.AttachRolePolicyInput{RoleName: aws.String("node"), PolicyArn: arn}))(t)
	all := must(c.ListEntitiesForPolicy(ctx(t), &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))(t)
	if len(all.PolicyUsers) != 2 || len(all.PolicyGroups) != 1 || len(all.PolicyRoles) != 1 {
		t.Fatalf("the holders are %+v", all)
	}
	users := must(c.ListEntitiesForPolicy(ctx(t), &iam.ListEntitiesForPolicyInput{PolicyArn: arn, EntityFilter: types.EntityTypeUser}))(t)
	if len(users.PolicyUsers) != 2 || len(users.PolicyGroups)+len(users.PolicyRoles) != 0 {
		t.Fatalf("the holders that are users are %+v", users)
	}
	if n := *must(c.GetPolicy(ctx(t), &iam.GetPolicyInput{PolicyArn: arn}))(t).Policy.AttachmentCount; n != 4 {
		t.Fatalf("the policy counts %d attachments, want 4", n)
	}
	if err := w.Account(account).IAM.RemovePolicy(*arn); err != nil {
		t.Fatal(err)
	}
	attached := must(c.ListAttachedUserPolicies(ctx(t), &iam.ListAttachedUserPoliciesInput{UserName: aws.String("user01")}))(t)
	if len(attached.AttachedPolicies) != 0 {
		t.Fatalf("a policy that is gone is still attached: %+v", attached.AttachedPolicies)
	}
}

func TestBulkReadShowsWhatAWSShows(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	must(c.TagPolicy(ctx(t), &iam.TagPolicyInput{PolicyArn: arn, Tags: tags("secret")}))(t)
	must(c.CreatePolicyVersion(ctx(t), &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(anyDocument), SetAsDefault: true}))(t)
	must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("web")}))(t)
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("web"), UserName: aws.String("user01")}))(t)
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: arn}))(t)
	must(c.TagUser(ctx(t), &iam.TagUserInput{UserName: aws.String("user01"), Tags: tags("team")}))(t)
	must(c.PutUserPermissionsBoundary(ctx(t), &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("user01"), PermissionsBoundary: arn}))(t)
	all := must(c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1000)}))(t)
	if len(all.UserDetailList) != 4 || len(all.GroupDetailList) != 1 || len(all.RoleDetailList) != 3 || all.IsTruncated {
		t.Fatalf("the bulk read has %d users, %d groups, %d roles", len(all.UserDetailList), len(all.GroupDetailList), len(all.RoleDetailList))
	}
	for _, u := range all.UserDetailList {
		if *u.UserName != "user01" {
			continue
		}
		if len(u.GroupList) != 1 || u.GroupList[0] != "web" || len(u.AttachedManagedPolicies) != 1 || len(u.Tags) != 1 || *u.PermissionsBoundary.PermissionsBoundaryArn != *arn {
			t.Fatalf("user01 is shown as %+v", u)
		}
	}
	own := must(c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy},
	}))(t)
	if len(own.Policies) != 2 || len(own.UserDetailList) != 0 {
		t.Fatalf("the filter lets %d policies and %d users through", len(own.Policies), len(own.UserDetailList))
	}
	for _, p := range own.Policies {
		if *p.PolicyName == "P" && (len(p.PolicyVersionList) != 2 || *p.DefaultVersionId != "v2" || *p.AttachmentCount != 1 || *p.PermissionsBoundaryUsageCount != 1) {
			t.Fatalf("the policy is shown as %+v", p)
		}
	}
	_, err := c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"Policy"}})
	wantCode(t, err, "ValidationError")
	_, err = c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1001)})
	wantCode(t, err, "ValidationError")
	_, err = c.GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{Marker: aws.String("nonsense")})
	wantCode(t, err, "ValidationError")
}

func TestSimulationAnswersByPoliciesAndContext(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/Env":"stg"}}}]}`
	arn := aws.String(w.newPolicy("P", document))
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("user01"), PolicyArn: arn}))(t)
	decide := func(env string) types.PolicyEvaluationDecisionType {
		out := must(c.SimulatePrincipalPolicy(ctx(t), &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: aws.String("arn:aws:iam::" + account + ":user/user01"), ActionNames: []string{"ssm:StartSession"},
			ResourceArns: []string{"arn:aws:ec2:" + region + ":" + account + ":instance/" + pc01},
			ContextEntries: []types.ContextEntry{{
				ContextKeyName: aws.String("ssm:resourceTag/Env"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{env},
			}},
		}))(t)
		return out.EvaluationResults[0].EvalDecision
	}
	if got := decide("stg"); got != types.PolicyEvaluationDecisionTypeAllowed {
		t.Errorf("with the tag it is %s", got)
	}
	if got := decide("prod"); got != types.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Errorf("with another tag it is %s", got)
	}
	_, err := c.SimulatePrincipalPolicy(ctx(t), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::" + account + ":user/nobody"), ActionNames: []string{"ssm:StartSession"},
	})
	wantCode(t, err, "NoSuchEntity")
}
