package awsemulator_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emussm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

func TestSharedDocumentIsUsedByItsARN(t *testing.T) {
	w := newWorld(t)
	root := key("AKIAEMULATEDNEIGHBOU", "secret-of-the-neighbour")
	if err := w.AddAccount(fixtures.Account{ID: neighbour, RootKeys: []fixtures.AccessKey{{ID: root.AccessKeyID, Secret: root.SecretAccessKey}}}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.createDocument("audited", idle("10")), "")
	wantCode(t, w.updateDocument("audited", idle("20"), ""), "")
	arn := "arn:aws:ssm:" + region + ":" + account + ":document/audited"
	get := func(version string) error {
		_, err := w.ssm(root).GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String(arn), DocumentVersion: aws.String(version)})
		return err
	}
	share := func(change ssm.ModifyDocumentPermissionInput) error {
		change.Name, change.PermissionType = aws.String("audited"), types.DocumentPermissionTypeShare
		_, err := w.ssm(admin).ModifyDocumentPermission(ctx(t), &change)
		return err
	}
	wantCode(t, get("$DEFAULT"), "InvalidDocument")
	wantCode(t, share(ssm.ModifyDocumentPermissionInput{AccountIdsToAdd: []string{neighbour}}), "")
	wantCode(t, get("$DEFAULT"), "")
	wantCode(t, get("2"), "InvalidDocumentVersion")
	wantCode(t, share(ssm.ModifyDocumentPermissionInput{AccountIdsToAdd: []string{neighbour}, SharedDocumentVersion: aws.String("$ALL")}), "")
	wantCode(t, get("2"), "")
	if err := w.Account(neighbour).Region(region).Fleet.Load(fixtures.Region{Instances: []fixtures.Instance{{ID: "i-0aaaaaaaaaaaaaaaa", Agent: &fixtures.Agent{}}}}); err != nil {
		t.Fatal(err)
	}
	must(w.open(root, "i-0aaaaaaaaaaaaaaaa", arn))(t)
	wantCode(t, w.deleteDocument("audited", ""), "InvalidDocumentOperation")
	wantCode(t, share(ssm.ModifyDocumentPermissionInput{AccountIdsToRemove: []string{neighbour}}), "")
	wantCode(t, get("$DEFAULT"), "InvalidDocument")
	wantCode(t, w.deleteDocument("audited", ""), "")
}

func TestSharesAreBoundedAndPaged(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.createDocument("audited", idle("10")), "")
	modify := func(ids ...string) error {
		_, err := w.ssm(admin).ModifyDocumentPermission(ctx(t), &ssm.ModifyDocumentPermissionInput{
			Name: aws.String("audited"), PermissionType: types.DocumentPermissionTypeShare, AccountIdsToAdd: ids,
		})
		return err
	}
	var ids []string
	for i := range 21 {
		ids = append(ids, fmt.Sprintf("%012d", i+1))
	}
	wantCode(t, modify(ids...), "ValidationException")
	wantCode(t, modify("me"), "ValidationException")
	wantCode(t, modify(ids[:20]...), "")
	w.Account(account).Region(region).SSM.SetLimits(emussm.Limits{DocumentShares: 20})
	wantCode(t, modify(ids[20]), "DocumentPermissionLimit")
	in := &ssm.DescribeDocumentPermissionInput{Name: aws.String("audited"), PermissionType: types.DocumentPermissionTypeShare, MaxResults: aws.Int32(15)}
	first := must(w.ssm(admin).DescribeDocumentPermission(ctx(t), in))(t)
	in.NextToken = first.NextToken
	second := must(w.ssm(admin).DescribeDocumentPermission(ctx(t), in))(t)
	if len(first.AccountIds) != 15 || len(second.AccountIds) != 5 || second.NextToken != nil || *second.AccountSharingInfoList[4].SharedDocumentVersion != "$DEFAULT" {
		t.Fatalf("the pages have %d and %d accounts", len(first.AccountIds), len(second.AccountIds))
	}
	in.PermissionType = "Lend"
	_, err := w.ssm(admin).DescribeDocumentPermission(ctx(t), in)
	wantCode(t, err, "InvalidPermissionType")
}
