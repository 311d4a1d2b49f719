package awsemulator_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const (
	organization = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
	unit         = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-cdef3456"
)

func documentARN(name string) string {
	return "arn:aws:ssm:" + region + ":" + account + ":document/" + name
}

func (w *world) ram(c aws.Credentials) *ram.Client { return ram.NewFromConfig(w.config(c)) }

func newShare(principals ...string) *ram.CreateResourceShareInput {
	return &ram.CreateResourceShareInput{
		Name: aws.String("s"), ClientToken: aws.String("token"), AllowExternalPrincipals: aws.Bool(false),
		ResourceArns: []string{documentARN("doc")}, Principals: principals,
	}
}

// associated are the states of the principals of resource shares.
func (w *world) associated() map[string]ramtypes.ResourceShareAssociationStatus {
	w.t.Helper()
	out := must(w.ram(admin).GetResourceShareAssociations(ctx(w.t), &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypePrincipal}))(w.t)
	states := map[string]ramtypes.ResourceShareAssociationStatus{}
	for _, a := range out.ResourceShareAssociations {
		states[*a.AssociatedEntity] = a.Status
	}
	return states
}

func TestAResourceShareIsMadeAndEndedLater(t *testing.T) {
	w := newWorld(t)
	w.SetSharingTime(time.Minute)
	wantCode(t, w.createDocument("doc", idle("10")), "")
	share := must(w.ram(admin).CreateResourceShare(ctx(t), newShare(organization)))(t).ResourceShare
	policies := func() int {
		return len(must(w.ssm(admin).GetResourcePolicies(ctx(t), &ssm.GetResourcePoliciesInput{ResourceArn: aws.String(documentARN("doc"))}))(t).Policies)
	}
	if got := w.associated()[organization]; got != ramtypes.ResourceShareAssociationStatusAssociating || policies() != 0 {
		t.Errorf("at first it is %s, with %d policies", got, policies())
	}
	w.Advance(time.Minute)
	if got := w.associated()[organization]; got != ramtypes.ResourceShareAssociationStatusAssociated || policies() != 1 {
		t.Errorf("then it is %s, with %d policies", got, policies())
	}
	must(w.ram(admin).DeleteResourceShare(ctx(t), &ram.DeleteResourceShareInput{ResourceShareArn: share.ResourceShareArn}))(t)
	wantCode(t, w.deleteDocument("doc", ""), "InvalidDocumentOperation")
	w.Advance(time.Minute)
	wantCode(t, w.deleteDocument("doc", ""), "")
}

func TestRAMRefusesWhatItCannotShare(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.createDocument("doc", idle("10")), "")
	create := func(change func(*ram.CreateResourceShareInput)) error {
		in := newShare(organization)
		in.ClientToken = nil
		change(in)
		_, err := w.ram(admin).CreateResourceShare(ctx(t), in)
		return err
	}
	for name, c := range map[string]struct {
		change func(*ram.CreateResourceShareInput)
		code   string
	}{
		"no document":   {func(in *ram.CreateResourceShareInput) { in.ResourceArns = []string{documentARN("none")} }, "UnknownResourceException"},
		"no unit":       {func(in *ram.CreateResourceShareInput) { in.Principals = []string{unit + "/x"} }, "MalformedArnException"},
		"no account":    {func(in *ram.CreateResourceShareInput) { in.Principals = []string{"everybody"} }, "InvalidParameterException"},
		"a foreign one": {func(in *ram.CreateResourceShareInput) { in.Principals = []string{neighbour} }, "OperationNotPermittedException"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, create(c.change), c.code) })
	}
}

func TestAClientTokenMakesOneResourceShare(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.createDocument("doc", idle("10")), "")
	first := must(w.ram(admin).CreateResourceShare(ctx(t), newShare(organization)))(t).ResourceShare
	second := must(w.ram(admin).CreateResourceShare(ctx(t), newShare(organization)))(t).ResourceShare
	if *first.ResourceShareArn != *second.ResourceShareArn {
		t.Error("the same token made two resource shares")
	}
	_, err := w.ram(admin).CreateResourceShare(ctx(t), newShare(unit))
	wantCode(t, err, "IdempotentParameterMismatchException")
}

// AWS makes the role in the name of the caller.
func TestRegisteringDefaultHostManagementNeedsTheRightsToMakeItsRole(t *testing.T) {
	for _, withheld := range []string{"", "iam:GetRole", "iam:CreateRole", "iam:AttachRolePolicy", "ssm:UpdateServiceSetting"} {
		t.Run(withheld, func(t *testing.T) {
			w := newWorld(t)
			w.SetEvaluateIAM(true)
			document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:*","iam:*"],"Resource":"*"}`
			if withheld != "" {
				document += `,{"Effect":"Deny","Action":"` + withheld + `","Resource":"*"}`
			}
			must(w.iam(admin).PutUserPolicy(ctx(t), &iam.PutUserPolicyInput{UserName: aws.String("user01"), PolicyName: aws.String("p"), PolicyDocument: aws.String(document + `]}`)}))(t)
			_, err := w.ssm(user01).RegisterDefaultHostManagementConfiguration(ctx(t), &ssm.RegisterDefaultHostManagementConfigurationInput{PermissionModel: ssmtypes.DHMCPermissionModelServiceManaged})
			want := "AccessDeniedException"
			if withheld == "" {
				want = ""
			}
			wantCode(t, err, want)
		})
	}
}
