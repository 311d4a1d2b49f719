package awsemulator_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestARenamedUserKeepsIDAttachmentsAndGroups(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("web")}))(t)
	made := must(c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("bob")}))(t).User
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("web"), UserName: aws.String("bob")}))(t)
	must(c.AttachUserPolicy(ctx(t), &iam.AttachUserPolicyInput{UserName: aws.String("bob"), PolicyArn: arn}))(t)
	must(c.UpdateUser(ctx(t), &iam.UpdateUserInput{UserName: aws.String("BOB"), NewUserName: aws.String("robert"), NewPath: aws.String("/x/")}))(t)

	_, err := c.GetUser(ctx(t), &iam.GetUserInput{UserName: aws.String("bob")})
	wantCode(t, err, "NoSuchEntity")
	now := must(c.GetUser(ctx(t), &iam.GetUserInput{UserName: aws.String("robert")}))(t).User
	if *now.UserId != *made.UserId || *now.Arn != "arn:aws:iam::"+account+":user/x/robert" {
		t.Errorf("the user is %s, %s", *now.UserId, *now.Arn)
	}
	holders := must(c.ListEntitiesForPolicy(ctx(t), &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))(t).PolicyUsers
	if len(holders) != 1 || *holders[0].UserName != "robert" {
		t.Errorf("the policy is held by %+v", holders)
	}
	members := must(c.GetGroup(ctx(t), &iam.GetGroupInput{GroupName: aws.String("web")}))(t).Users
	if len(members) != 1 || *members[0].UserName != "robert" {
		t.Errorf("the members are %+v", members)
	}
	_, err = c.UpdateUser(ctx(t), &iam.UpdateUserInput{UserName: aws.String("robert"), NewUserName: aws.String("User01")})
	wantCode(t, err, "EntityAlreadyExists")
}

func TestARenamedGroupKeepsIDMembersAndAttachments(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	arn := aws.String(w.newPolicy("P", anyDocument))
	made := must(c.CreateGroup(ctx(t), &iam.CreateGroupInput{GroupName: aws.String("web")}))(t).Group
	must(c.AddUserToGroup(ctx(t), &iam.AddUserToGroupInput{GroupName: aws.String("web"), UserName: aws.String("user01")}))(t)
	must(c.AttachGroupPolicy(ctx(t), &iam.AttachGroupPolicyInput{GroupName: aws.String("web"), PolicyArn: arn}))(t)
	must(c.UpdateGroup(ctx(t), &iam.UpdateGroupInput{GroupName: aws.String("web"), NewGroupName: aws.String("ops")}))(t)
	now := must(c.GetGroup(ctx(t), &iam.GetGroupInput{GroupName: aws.String("ops")}))(t)
	if *now.Group.GroupId != *made.GroupId || len(now.Users) != 1 {
		t.Errorf("the group is %s with members %+v", *now.Group.GroupId, now.Users)
	}
	groups := must(c.ListGroupsForUser(ctx(t), &iam.ListGroupsForUserInput{UserName: aws.String("user01")}))(t).Groups
	if len(groups) != 1 || *groups[0].GroupName != "ops" {
		t.Errorf("the user's groups are %+v", groups)
	}
	holders := must(c.ListEntitiesForPolicy(ctx(t), &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))(t).PolicyGroups
	if len(holders) != 1 || *holders[0].GroupName != "ops" {
		t.Errorf("the policy is held by %+v", holders)
	}
}

func TestAUserMadeAgainHasAnotherID(t *testing.T) {
	w := newWorld(t)
	c := w.iam(admin)
	first := must(c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("bob")}))(t).User
	must(c.DeleteUser(ctx(t), &iam.DeleteUserInput{UserName: aws.String("bob")}))(t)
	second := must(c.CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("bob")}))(t).User
	if *first.UserId == *second.UserId {
		t.Errorf("both have the id %s", *first.UserId)
	}
}
