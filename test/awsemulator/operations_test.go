package awsemulator_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// everything is a walk through all operations. Each input depends on the
// effects of those before it. The input's type determines the operation.
func everything() []any {
	s := aws.String
	own := s("arn:aws:iam::" + account + ":policy/P")
	document, trust, share := s(anyDocument), s(trustEC2), ssmtypes.DocumentPermissionTypeShare
	return []any{
		&iam.CreatePolicyInput{PolicyName: s("P"), PolicyDocument: document}, &iam.GetPolicyInput{PolicyArn: own},
		&iam.ListPoliciesInput{}, &iam.TagPolicyInput{PolicyArn: own, Tags: tags("k")}, &iam.ListPolicyTagsInput{PolicyArn: own},
		&iam.UntagPolicyInput{PolicyArn: own, TagKeys: []string{"k"}},
		&iam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: document}, &iam.GetPolicyVersionInput{PolicyArn: own, VersionId: s("v2")},
		&iam.ListPolicyVersionsInput{PolicyArn: own}, &iam.SetDefaultPolicyVersionInput{PolicyArn: own, VersionId: s("v2")},
		&iam.DeletePolicyVersionInput{PolicyArn: own, VersionId: s("v1")},

		&iam.CreateUserInput{UserName: s("u")}, &iam.GetUserInput{UserName: s("u")}, &iam.ListUsersInput{}, &iam.UpdateUserInput{UserName: s("u")},
		&iam.CreateGroupInput{GroupName: s("g")}, &iam.GetGroupInput{GroupName: s("g")}, &iam.ListGroupsInput{}, &iam.UpdateGroupInput{GroupName: s("g")},
		&iam.CreateRoleInput{RoleName: s("r"), AssumeRolePolicyDocument: trust}, &iam.GetRoleInput{RoleName: s("r")}, &iam.ListRolesInput{},
		&iam.UpdateAssumeRolePolicyInput{RoleName: s("r"), PolicyDocument: trust},
		&iam.TagUserInput{UserName: s("u"), Tags: tags("k")}, &iam.UntagUserInput{UserName: s("u"), TagKeys: []string{"k"}},
		&iam.TagRoleInput{RoleName: s("r"), Tags: tags("k")}, &iam.UntagRoleInput{RoleName: s("r"), TagKeys: []string{"k"}},
		&iam.AddUserToGroupInput{UserName: s("u"), GroupName: s("g")}, &iam.ListGroupsForUserInput{UserName: s("u")},
		&iam.RemoveUserFromGroupInput{UserName: s("u"), GroupName: s("g")},

		&iam.AttachUserPolicyInput{UserName: s("u"), PolicyArn: own}, &iam.ListAttachedUserPoliciesInput{UserName: s("u")},
		&iam.AttachGroupPolicyInput{GroupName: s("g"), PolicyArn: own}, &iam.ListAttachedGroupPoliciesInput{GroupName: s("g")},
		&iam.AttachRolePolicyInput{RoleName: s("r"), PolicyArn: own}, &iam.ListAttachedRolePoliciesInput{RoleName: s("r")},
		&iam.ListEntitiesForPolicyInput{PolicyArn: own},
		&iam.DetachUserPolicyInput{UserName: s("u"), PolicyArn: own}, &iam.DetachGroupPolicyInput{GroupName: s("g"), PolicyArn: own},
		&iam.DetachRolePolicyInput{RoleName: s("r"), PolicyArn: own},
		&iam.PutUserPermissionsBoundaryInput{UserName: s("u"), PermissionsBoundary: own}, &iam.DeleteUserPermissionsBoundaryInput{UserName: s("u")},
		&iam.PutRolePermissionsBoundaryInput{RoleName: s("r"), PermissionsBoundary: own}, &iam.DeleteRolePermissionsBoundaryInput{RoleName: s("r")},
		&iam.PutUserPolicyInput{UserName: s("u"), PolicyName: s("i"), PolicyDocument: document}, &iam.GetUserPolicyInput{UserName: s("u"), PolicyName: s("i")},
		&iam.ListUserPoliciesInput{UserName: s("u")}, &iam.DeleteUserPolicyInput{UserName: s("u"), PolicyName: s("i")},
		&iam.PutGroupPolicyInput{GroupName: s("g"), PolicyName: s("i"), PolicyDocument: document}, &iam.GetGroupPolicyInput{GroupName: s("g"), PolicyName: s("i")},
		&iam.ListGroupPoliciesInput{GroupName: s("g")}, &iam.DeleteGroupPolicyInput{GroupName: s("g"), PolicyName: s("i")},
		&iam.PutRolePolicyInput{RoleName: s("r"), PolicyName: s("i"), PolicyDocument: document}, &iam.GetRolePolicyInput{RoleName: s("r"), PolicyName: s("i")},
		&iam.ListRolePoliciesInput{RoleName: s("r")}, &iam.DeleteRolePolicyInput{RoleName: s("r"), PolicyName: s("i")},

		&iam.GetAccountAuthorizationDetailsInput{}, &iam.GetAccountSummaryInput{},
		&iam.SimulateCustomPolicyInput{ActionNames: []string{"ssm:StartSession"}, PolicyInputList: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`}},
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: s("arn:aws:iam::" + account + ":user/u"), ActionNames: []string{"ssm:StartSession"}},
		&iam.DeleteUserInput{UserName: s("u")}, &iam.DeleteGroupInput{GroupName: s("g")}, &iam.DeleteRoleInput{RoleName: s("r")},
		&iam.DeletePolicyInput{PolicyArn: own},

		&sts.GetCallerIdentityInput{}, &sts.GetFederationTokenInput{Name: s("me")}, &sts.GetSessionTokenInput{},
		&sts.AssumeRoleInput{RoleArn: s(operatorRole), RoleSessionName: s("me"), ExternalId: s("abc")},

		&ssm.StartSessionInput{Target: s(pc01), Reason: s("why")}, &ssm.DescribeSessionsInput{State: ssmtypes.SessionStateActive},
		&ssm.ResumeSessionInput{SessionId: s("$session")}, &ssm.TerminateSessionInput{SessionId: s("$session")},
		&ssm.GetConnectionStatusInput{Target: s(pc01)}, &ssm.DescribeInstanceInformationInput{},
		&ssm.DescribeInstancePropertiesInput{},
		&ssm.CreateDocumentInput{Name: s("doc"), Content: s(`{"schemaVersion":"1.0","sessionType":"Standard_Stream"}`), DocumentType: ssmtypes.DocumentTypeSession},
		&ssm.GetDocumentInput{Name: s("doc")}, &ssm.DescribeDocumentInput{Name: s("doc")}, &ssm.ListDocumentsInput{},
		&ssm.UpdateDocumentInput{Name: s("doc"), Content: s(`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{}}`), DocumentVersion: s("$LATEST")},
		&ssm.UpdateDocumentDefaultVersionInput{Name: s("doc"), DocumentVersion: s("2")}, &ssm.ListDocumentVersionsInput{Name: s("doc")},
		&ssm.ModifyDocumentPermissionInput{Name: s("doc"), PermissionType: share}, &ssm.DescribeDocumentPermissionInput{Name: s("doc"), PermissionType: share},
		&ssm.AddTagsToResourceInput{ResourceType: "Document", ResourceId: s("doc"), Tags: []ssmtypes.Tag{{Key: s("k"), Value: s("v")}}},
		&ssm.ListTagsForResourceInput{ResourceType: "Document", ResourceId: s("doc")},
		&ssm.RemoveTagsFromResourceInput{ResourceType: "Document", ResourceId: s("doc"), TagKeys: []string{"k"}},
		&ram.CreateResourceShareInput{Name: s("share"), ResourceArns: []string{documentARN("doc")}, AllowExternalPrincipals: aws.Bool(false)},
		&ram.AssociateResourceShareInput{ResourceShareArn: s("$share"), Principals: []string{organization}},
		&ssm.GetResourcePoliciesInput{ResourceArn: s(documentARN("doc"))},
		&ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, Name: s("share")},
		&ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypePrincipal},
		&ram.DisassociateResourceShareInput{ResourceShareArn: s("$share"), Principals: []string{organization}},
		&ram.DeleteResourceShareInput{ResourceShareArn: s("$share")},
		&ssm.DeleteDocumentInput{Name: s("doc")},
		&ssm.CreateActivationInput{IamRole: s("SSMServiceRole")}, &ssm.DescribeActivationsInput{}, &ssm.GetInventoryInput{}, &ssm.DeleteActivationInput{ActivationId: s("$activation")},
		&ssm.DeregisterManagedInstanceInput{InstanceId: s("$node")},
		&ssm.GetServiceSettingInput{SettingId: s(tierSetting)}, &ssm.UpdateServiceSettingInput{SettingId: s(tierSetting), SettingValue: s("advanced")},
		&ssm.ResetServiceSettingInput{SettingId: s(tierSetting)},
		&ssm.RegisterDefaultHostManagementConfigurationInput{PermissionModel: ssmtypes.DHMCPermissionModelServiceManaged, Overwrite: true},
		&ssm.DeregisterDefaultHostManagementConfigurationInput{},
		&iam.GetInstanceProfileInput{InstanceProfileName: s("stg-ec2-instance-profile")},

		&ec2.DescribeInternetGatewaysInput{}, &ec2.DescribeNatGatewaysInput{}, &ec2.DescribeNetworkAclsInput{}, &ec2.DescribeRouteTablesInput{},
		&ec2.DescribeSecurityGroupRulesInput{}, &ec2.DescribeSecurityGroupsInput{}, &ec2.DescribeSubnetsInput{}, &ec2.DescribeVpcEndpointsInput{},
		&ec2.DescribeVpcsInput{},
		&ec2.DescribeVpcAttributeInput{VpcId: s("vpc-0b00000000000a000"), Attribute: ec2types.VpcAttributeNameEnableDnsSupport},
		&ec2.GetManagedPrefixListEntriesInput{PrefixListId: s("pl-0b00000000000a001")},
		&kms.DescribeKeyInput{KeyId: s("alias/session-manager")}, &kms.GetKeyPolicyInput{KeyId: s(fixtures.S7Key)},
		&kms.GenerateDataKeyInput{KeyId: s(fixtures.S7Key), NumberOfBytes: aws.Int32(64)}, &kms.DecryptInput{},
		&cloudwatchlogs.DescribeLogGroupsInput{},
		&s3.HeadBucketInput{Bucket: s(fixtures.S7Bucket)}, &s3.GetBucketLocationInput{Bucket: s(fixtures.S7Bucket)},
		&s3.GetBucketEncryptionInput{Bucket: s(fixtures.S7Bucket)}, &s3.GetBucketPolicyInput{Bucket: s("with-policy")},

		&ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: s("tag:Name"), Values: []string{"PC0*"}}}}, &ec2.DescribeRegionsInput{},
	}
}

// learn notes the ids in an answer under the names by which inputs mean them.
func learn(ids map[string]*string, out any) {
	switch out := out.(type) {
	case *ssm.StartSessionOutput:
		ids["$session"] = out.SessionId
	case *kms.GenerateDataKeyOutput:
		ids["$ciphertext"] = aws.String(string(out.CiphertextBlob))
	case *ssm.CreateActivationOutput:
		ids["$activation"] = out.ActivationId
	case *ram.CreateResourceShareOutput:
		ids["$share"] = out.ResourceShare.ResourceShareArn
	}
}

// fillIn puts ids into an input for their names.
func fillIn(in any, ids map[string]*string) {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if text, ok := reflect.TypeAssert[*string](v.Field(i)); ok && text != nil && ids[*text] != nil {
			v.Field(i).Set(reflect.ValueOf(ids[*text]))
		}
	}
}

// withoutSDK are the operations that only plugins and agents call: test/sessionclient and
// test/nodeagent do.
var withoutSDK = []string{
	"ec2messages:GetMessages",
	"ssm:ListInstanceAssociations", "ssm:RequestManagedInstanceRoleToken", "ssm:UpdateInstanceInformation", "ssm:UpdateManagedInstancePublicKey",
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
}

func TestEveryOperationAnswersTheSDK(t *testing.T) {
	w := newWorld(t, withEverything)
	clients := map[string]any{
		"iam": w.iam(admin), "sts": w.sts(admin), "ssm": w.ssm(admin), "ec2": w.ec2(admin), "kms": w.kms(admin),
		"cloudwatchlogs": w.logs(admin), "s3": w.s3(admin), "ram": w.ram(admin),
	}
	node, err := w.registerOverHTTP(w.newActivation(ssm.CreateActivationInput{}))
	wantCode(t, err, "")
	ids := map[string]*string{"$node": &node}
	for _, in := range everything() {
		shape := reflect.TypeOf(in).Elem()
		name := shape.Name()[:len(shape.Name())-len("Input")]
		service := shape.PkgPath()[len("github.com/aws/aws-sdk-go-v2/service/"):]
		fillIn(in, ids)
		if in, ok := in.(*kms.DecryptInput); ok {
			in.CiphertextBlob = []byte(*ids["$ciphertext"])
		}
		result := reflect.ValueOf(clients[service]).MethodByName(name).Call([]reflect.Value{reflect.ValueOf(ctx(t)), reflect.ValueOf(in)})
		if err, failed := reflect.TypeAssert[error](result[1]); failed {
			t.Fatalf("%s:%s: %v", service, name, err)
		}
		learn(ids, result[0].Interface())
	}
	counts := w.Calls()
	for _, operation := range w.Operations() {
		if slices.Contains(withoutSDK, operation) {
			continue
		}
		if counts.ByAction[operation] == 0 {
			t.Errorf("%s is never called", operation)
		}
	}
	if counts.Errors != 0 {
		t.Errorf("the calls are %+v", counts)
	}
}

func TestUnknownOperationsAreRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.iam(admin).ListSAMLProviders(ctx(t), &iam.ListSAMLProvidersInput{})
	wantCode(t, err, "InvalidAction")
	_, err = w.ssm(admin).ListAssociations(ctx(t), &ssm.ListAssociationsInput{})
	wantCode(t, err, "UnknownOperationException")
	_, err = w.ec2(admin).DescribeSpotPriceHistory(ctx(t), &ec2.DescribeSpotPriceHistoryInput{})
	wantCode(t, err, "InvalidAction")
}

func TestInstancesAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	find := func(in ec2.DescribeInstancesInput) ([]string, error) {
		out, err := w.ec2(admin).DescribeInstances(ctx(t), &in)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				ids = append(ids, *i.InstanceId)
			}
		}
		return ids, nil
	}
	filter := func(name string, values ...string) []ec2types.Filter {
		return []ec2types.Filter{{Name: aws.String(name), Values: values}}
	}
	for name, c := range map[string]struct {
		in   ec2.DescribeInstancesInput
		want []string
		code string
	}{
		"all":               {ec2.DescribeInstancesInput{}, []string{pc01, pc02}, ""},
		"by id":             {ec2.DescribeInstancesInput{InstanceIds: []string{pc02}}, []string{pc02}, ""},
		"by filter":         {ec2.DescribeInstancesInput{Filters: filter("instance-id", pc01, "i-none")}, []string{pc01}, ""},
		"by tag":            {ec2.DescribeInstancesInput{Filters: filter("tag:Name", "PC02")}, []string{pc02}, ""},
		"by tag, wildcards": {ec2.DescribeInstancesInput{Filters: filter("tag:Name", "?C0*")}, []string{pc01, pc02}, ""},
		"by state":          {ec2.DescribeInstancesInput{Filters: filter("instance-state-name", "stopped")}, nil, ""},
		"by nonsense":       {ec2.DescribeInstancesInput{Filters: filter("nonsense", "x")}, nil, "InvalidParameterValue"},
		"an id that is not": {ec2.DescribeInstancesInput{InstanceIds: []string{"i-00000000000000000"}}, nil, "InvalidInstanceID.NotFound"},
		"no id":             {ec2.DescribeInstancesInput{InstanceIds: []string{"PC01"}}, nil, "InvalidInstanceID.Malformed"},
		"ids and pages":     {ec2.DescribeInstancesInput{InstanceIds: []string{pc01}, MaxResults: aws.Int32(5)}, nil, "InvalidParameterCombination"},
		"too small a page":  {ec2.DescribeInstancesInput{MaxResults: aws.Int32(4)}, nil, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			ids, err := find(c.in)
			wantCode(t, err, c.code)
			if !reflect.DeepEqual(ids, c.want) {
				t.Fatalf("the instances are %v, want %v", ids, c.want)
			}
		})
	}
}
