package awsemulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

func TestKeyOfTheDocumentIsNeeded(t *testing.T) {
	w := newWorld(t)
	const keyARN = "arn:aws:kms:" + region + ":" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	wantCode(t, w.createDocument("sealed", `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":"`+keyARN+`"}}`), "")
	w.allow("user01", statements(`{"Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:*:*:instance/*","arn:aws:ssm:*:*:document/sealed"]}`))
	_, err := w.open(user01, pc01, "sealed")
	wantCode(t, err, "AccessDeniedException")
	if !strings.Contains(err.Error(), "kms:GenerateDataKey on resource: "+keyARN) {
		t.Fatalf("the refusal is %v", err)
	}
	question := awsemulator.Question{Principal: "arn:aws:iam::" + account + ":user/user01", Region: region, Target: pc01, Document: "sealed"}
	if answer := must(w.May(question))(t); answer.Allowed {
		t.Fatal("without the key a session may be opened")
	}
	w.allow("user01", statements(`{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"`+keyARN+`"}`))
	must(w.open(user01, pc01, "sealed"))(t)
	if answer := must(w.May(question))(t); !answer.Allowed {
		t.Fatalf("with the key the answer is %+v", answer)
	}
}

func TestTagsOfDocumentsAndNodesAreJudged(t *testing.T) {
	w := newWorld(t)
	node := must(w.register(w.newActivation(ssm.CreateActivationInput{Tags: ssmTags("team", "a")})))(t)
	must(w.ssm(admin).CreateDocument(ctx(t), &ssm.CreateDocumentInput{
		Name: aws.String("audited"), Content: aws.String(idle("1")), DocumentType: types.DocumentTypeSession, Tags: ssmTags("team", "a"),
	}))(t)
	w.allow("user01", statements(
		`{"Effect":"Allow","Action":["ssm:AddTagsToResource","ssm:RemoveTagsFromResource","ssm:DeregisterManagedInstance","ssm:UpdateDocument"],"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["team","note"]}}}`))
	tag := func(kind types.ResourceTypeForTagging, id string, pairs ...string) error {
		_, err := w.ssm(user01).AddTagsToResource(ctx(t), &ssm.AddTagsToResourceInput{ResourceType: kind, ResourceId: aws.String(id), Tags: ssmTags(pairs...)})
		return err
	}
	wantCode(t, tag("ManagedInstance", node, "note", "x"), "")
	wantCode(t, tag("ManagedInstance", node, "other", "x"), "AccessDeniedException")
	wantCode(t, tag("Document", "audited", "note", "x"), "")
	update := func() error {
		_, err := w.ssm(user01).UpdateDocument(ctx(t), &ssm.UpdateDocumentInput{Name: aws.String("audited"), Content: aws.String(idle("2")), DocumentVersion: aws.String("$LATEST")})
		return err
	}
	wantCode(t, update(), "")
	wantCode(t, tag("Document", "audited", "team", "b"), "")
	wantCode(t, update(), "AccessDeniedException")
	_, err := w.ssm(user01).RemoveTagsFromResource(ctx(t), &ssm.RemoveTagsFromResourceInput{ResourceType: "ManagedInstance", ResourceId: aws.String(node), TagKeys: []string{"team"}})
	wantCode(t, err, "")
	_, err = w.ssm(user01).DeregisterManagedInstance(ctx(t), &ssm.DeregisterManagedInstanceInput{InstanceId: aws.String(node)})
	wantCode(t, err, "AccessDeniedException")
	many := []string{}
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	c := w.ssm(admin)
	for code, in := range map[string]*ssm.AddTagsToResourceInput{
		"TooManyTagsError":    {ResourceType: "Document", ResourceId: aws.String("audited"), Tags: ssmTags(many...)},
		"InvalidResourceId":   {ResourceType: "ManagedInstance", ResourceId: aws.String(pc01), Tags: ssmTags("k", "v")},
		"InvalidResourceType": {ResourceType: "Parameter", ResourceId: aws.String("p"), Tags: ssmTags("k", "v")},
	} {
		_, err := c.AddTagsToResource(ctx(t), in)
		wantCode(t, err, code)
	}
}
