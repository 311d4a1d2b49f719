"""Calls every operation of the emulator as a client that knows nothing of it."""
import json
import os
import urllib.request

import boto3
from botocore.exceptions import ClientError

# A public key as agents send it: the DER of an RSA key in Base64.
NODE_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA28WSVGSk1ioisJyFyTIRoa2t7ch5h8Iu/BQ47Vcvy4u+"
    "QK71Vn9vgR3pLBw9BxC75pa1Yl/uDOfx2fFv9QO1FvFSTXbp73v3Nz3e3aMBxcOE6DLAoNbFSksRq2vxdhBuOEl7"
    "NTm50mP839FPimAFn0y6LYwOuGOSrqnC03NwRrnBbKtKRf9TWtLBnv9KvFSdr7XgYs3t+KRxTPuRGWzHvSO5tdKx"
    "/eOQqB6RNQR4Taes2ngRi3CnAhTlW6pdM/DxKzp/RP0+UEEtKjzaBvO7kIQqFstqO0rTTyKE2SLXZTPH/rFYayTG"
    "tqg7U7HnhFTeOUfyMyzHZDqIetntkgpk3QIDAQAB"
)

iam, sts, ssm, ec2, kms, logs, s3 = (boto3.client(s) for s in ("iam", "sts", "ssm", "ec2", "kms", "logs", "s3"))
account = sts.get_caller_identity()["Account"]
document = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "A", "Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*",
     "Condition": {"StringEquals": {"ssm:resourceTag/Name": "a+b c%20é"}}}]}, ensure_ascii=False)
trust = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        assert e.response["Error"]["Message"], e
        return
    raise AssertionError("nothing was refused, %s was expected" % code)


arn = iam.create_policy(PolicyName="P", Path="/ssm-access/x/", PolicyDocument=document, Description="d",
                        Tags=[{"Key": "k", "Value": "v"}])["Policy"]["Arn"]
assert arn == "arn:aws:iam::%s:policy/ssm-access/x/P" % account
policy = iam.get_policy(PolicyArn=arn)["Policy"]
assert policy["Tags"] == [{"Key": "k", "Value": "v"}] and policy["DefaultVersionId"] == "v1" and policy["IsAttachable"]
refused("EntityAlreadyExists", iam.create_policy, PolicyName="p", PolicyDocument=document)
assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(document)
iam.create_policy_version(PolicyArn=arn, PolicyDocument=document)
iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
assert [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"] if v["IsDefaultVersion"]] == ["v2"]
iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "l", "Value": "w"}])
iam.untag_policy(PolicyArn=arn, TagKeys=["k"])
assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
assert arn in [p["Arn"] for page in iam.get_paginator("list_policies").paginate(Scope="Local", PaginationConfig={"PageSize": 1}) for p in page["Policies"]]

iam.create_user(UserName="u", Path="/x/", Tags=[{"Key": "k", "Value": "v"}])
iam.create_group(GroupName="g")
iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust, Description="d")
assert iam.get_user(UserName="u")["User"]["Path"] == "/x/"
assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == json.loads(trust)
iam.update_assume_role_policy(RoleName="r", PolicyDocument=trust)
assert "u" in [u["UserName"] for u in iam.list_users(PathPrefix="/x/")["Users"]]
assert "g" in [g["GroupName"] for g in iam.list_groups()["Groups"]]
assert "r" in [r["RoleName"] for r in iam.list_roles()["Roles"]]
iam.add_user_to_group(UserName="u", GroupName="g")
assert [u["UserName"] for u in iam.get_group(GroupName="g")["Users"]] == ["u"]
assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="u")["Groups"]] == ["g"]
for kind, key in (("user", "UserName"), ("group", "GroupName"), ("role", "RoleName")):
    who = {key: kind[0]}
    op = lambda name: getattr(iam, name % kind)  # noqa: E731
    op("attach_%s_policy")(PolicyArn=arn, **who)
    assert op("list_attached_%s_policies")(**who)["AttachedPolicies"] == [{"PolicyName": "P", "PolicyArn": arn}]
    op("put_%s_policy")(PolicyName="i", PolicyDocument=document, **who)
    assert op("get_%s_policy")(PolicyName="i", **who)["PolicyDocument"] == json.loads(document)
    assert op("list_%s_policies")(**who)["PolicyNames"] == ["i"]
    if kind != "group":
        op("put_%s_permissions_boundary")(PermissionsBoundary=arn, **who)
        op("tag_%s")(Tags=[{"Key": "t", "Value": "w"}], **who)
        op("untag_%s")(TagKeys=["t"], **who)
entities = iam.list_entities_for_policy(PolicyArn=arn)
assert [len(entities[k]) for k in ("PolicyUsers", "PolicyGroups", "PolicyRoles")] == [1, 1, 1]
refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
details = iam.get_account_authorization_details()
user = [u for u in details["UserDetailList"] if u["UserName"] == "u"][0]
assert user["GroupList"] == ["g"] and user["UserPolicyList"][0]["PolicyDocument"] == json.loads(document)
assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn and user["Tags"] == [{"Key": "k", "Value": "v"}]
held = [p for p in details["Policies"] if p["Arn"] == arn][0]
assert held["PolicyVersionList"][0]["Document"] == json.loads(document) and held["AttachmentCount"] == 3
assert "Tags" not in held
assert iam.get_account_summary()["SummaryMap"]["PolicySizeQuota"] == 6144
simulated = iam.simulate_principal_policy(
    PolicySourceArn="arn:aws:iam::%s:user/x/u" % account, ActionNames=["ssm:StartSession"],
    ContextEntries=[{"ContextKeyName": "ssm:resourceTag/Name", "ContextKeyType": "string", "ContextKeyValues": ["a+b c%20é"]}])
assert simulated["EvaluationResults"][0]["EvalDecision"] == "allowed"
simulated = iam.simulate_custom_policy(PolicyInputList=[document], ActionNames=["iam:CreateSAMLProvider"])
assert simulated["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
for kind, key in (("user", "UserName"), ("group", "GroupName"), ("role", "RoleName")):
    who = {key: kind[0]}
    op = lambda name: getattr(iam, name % kind)  # noqa: E731
    op("detach_%s_policy")(PolicyArn=arn, **who)
    op("delete_%s_policy")(PolicyName="i", **who)
    if kind != "group":
        op("delete_%s_permissions_boundary")(**who)
iam.update_group(GroupName="g", NewGroupName="h")
assert [u["UserName"] for u in iam.get_group(GroupName="h")["Users"]] == ["u"]
iam.update_group(GroupName="h", NewGroupName="g")
before = iam.get_user(UserName="u")["User"]["UserId"]
iam.update_user(UserName="u", NewUserName="v", NewPath="/y/")
assert iam.get_user(UserName="v")["User"]["UserId"] == before
iam.update_user(UserName="v", NewUserName="u")
iam.remove_user_from_group(UserName="u", GroupName="g")
iam.delete_user(UserName="u")
iam.delete_group(GroupName="g")
iam.delete_role(RoleName="r")
iam.delete_policy(PolicyArn=arn)
refused("NoSuchEntity", iam.get_policy, PolicyArn=arn)

assumed = sts.assume_role(RoleArn="arn:aws:iam::%s:role/ssm-access-operator" % account, RoleSessionName="me", ExternalId="abc")
c = assumed["Credentials"]
me = boto3.client("sts", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
assert me.get_caller_identity()["Arn"] == assumed["AssumedRoleUser"]["Arn"]

fed = sts.get_federation_token(Name="somebody", Policy=document)
assert fed["FederatedUser"]["Arn"] == "arn:aws:sts::%s:federated-user/somebody" % account and fed["Credentials"]["SessionToken"]
assert sts.get_session_token()["Credentials"]["SessionToken"]

instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
assert [i["Tags"][0]["Value"] for i in instances] == ["PC01", "PC02"] and instances[0]["SecurityGroups"] and instances[0]["VpcId"]
assert instances[0]["State"] == {"Code": 16, "Name": "running"} and instances[0]["IamInstanceProfile"]["Arn"]
assert ec2.describe_regions(RegionNames=["ap-northeast-1"])["Regions"][0]["RegionName"] == "ap-northeast-1"
target = instances[0]["InstanceId"]
assert ssm.get_connection_status(Target=target)["Status"] == "connected"
information = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [target]}])["InstanceInformationList"]
assert information[0]["PingStatus"] == "Online" and information[0]["LastPingDateTime"]
assert ssm.get_inventory()["Entities"] == []
assert target in [p["InstanceId"] for p in ssm.describe_instance_properties()["InstanceProperties"]]
ssm.create_document(Name="doc", DocumentType="Session", Content='{"schemaVersion":"1.0","sessionType":"Standard_Stream"}')
assert ssm.describe_document(Name="doc")["Document"]["Status"] == "Active"
assert json.loads(ssm.get_document(Name="doc")["Content"])["schemaVersion"] == "1.0"
session = ssm.start_session(Target=target, DocumentName="doc", Reason="why")["SessionId"]
shown = ssm.describe_sessions(State="Active", Filters=[{"key": "Target", "value": target}])["Sessions"]
assert shown[0]["SessionId"] == session and shown[0]["Reason"] == "why" and shown[0]["StartDate"]
assert ssm.resume_session(SessionId=session)["TokenValue"]
assert ssm.terminate_session(SessionId=session)["SessionId"] == session
assert ssm.describe_sessions(State="History")["Sessions"][0]["Status"] == "Terminated"
assert ssm.update_document(
    Name="doc", DocumentVersion="$LATEST", VersionName="two",
    Content='{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"5"}}')["DocumentDescription"]["DocumentVersion"] == "2"
assert ssm.describe_document(Name="doc")["Document"]["DocumentVersion"] == "1"
assert ssm.update_document_default_version(Name="doc", DocumentVersion="2")["Description"]["DefaultVersionName"] == "two"
assert [v.get("IsDefaultVersion", False) for v in ssm.list_document_versions(Name="doc")["DocumentVersions"]] == [True, False]
ssm.modify_document_permission(Name="doc", PermissionType="Share", AccountIdsToAdd=["111122223333"])
assert ssm.describe_document_permission(Name="doc", PermissionType="Share")["AccountIds"] == ["111122223333"]
refused("InvalidDocumentOperation", ssm.delete_document, Name="doc")
ssm.modify_document_permission(Name="doc", PermissionType="Share", AccountIdsToRemove=["111122223333"])
ssm.add_tags_to_resource(ResourceType="Document", ResourceId="doc", Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}])
ssm.remove_tags_from_resource(ResourceType="Document", ResourceId="doc", TagKeys=["l"])
assert ssm.list_tags_for_resource(ResourceType="Document", ResourceId="doc")["TagList"] == [{"Key": "k", "Value": "v"}]
ram = boto3.client("ram")
doc_arn, organization = f"arn:aws:ssm:{ssm.meta.region_name}:{account}:document/doc", "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
share = ram.create_resource_share(name="share", resourceArns=[doc_arn], allowExternalPrincipals=False)["resourceShare"]["resourceShareArn"]
ram.associate_resource_share(resourceShareArn=share, principals=[organization])
assert ram.get_resource_shares(resourceOwner="SELF", name="share")["resourceShares"][0]["status"] == "ACTIVE"
assert ram.get_resource_share_associations(associationType="PRINCIPAL")["resourceShareAssociations"][0]["associatedEntity"] == organization
assert len(ssm.get_resource_policies(ResourceArn=doc_arn)["Policies"]) == 1
refused("UnknownResourceException", ram.disassociate_resource_share, resourceShareArn=share, principals=["999999999999"])
ram.disassociate_resource_share(resourceShareArn=share, principals=[organization])
assert ram.delete_resource_share(resourceShareArn=share)["returnValue"]
mine = ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}, {"Key": "tag:k", "Values": ["v"]}])["DocumentIdentifiers"]
assert [(d["Name"], d["DocumentVersion"], d["Tags"]) for d in mine] == [("doc", "2", [{"Key": "k", "Value": "v"}])]
ssm.delete_document(Name="doc")

tier = "/ssm/managed-instance/activation-tier"
ssm.update_service_setting(SettingId=tier, SettingValue="advanced")
assert ssm.get_service_setting(SettingId=tier)["ServiceSetting"]["SettingValue"] == "advanced"
activation = ssm.create_activation(IamRole="SSMServiceRole", Tags=[{"Key": "k", "Value": "v"}])
assert ssm.describe_activations()["ActivationList"][0]["ActivationId"] == activation["ActivationId"]
agent = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], headers={
    "X-Amz-Target": "AmazonSSM.RegisterManagedInstance", "Content-Type": "application/x-amz-json-1.1"}, data=json.dumps({
        "ActivationId": activation["ActivationId"], "ActivationCode": activation["ActivationCode"], "Fingerprint": "f",
        "PublicKey": NODE_KEY, "PublicKeyType": "Rsa"}).encode())
node = json.load(urllib.request.urlopen(agent))["InstanceId"]
# No agent runs there, so the emulator plays it.
urllib.request.urlopen(urllib.request.Request(
    f"{os.environ['AWS_ENDPOINT_URL']}/_emulator/accounts/{account}/regions/{ssm.meta.region_name}/nodes/{node}",
    method="PATCH", data=b'{"online": true}'))
assert ssm.terminate_session(SessionId=ssm.start_session(Target=node)["SessionId"])
ssm.delete_activation(ActivationId=activation["ActivationId"])
ssm.deregister_managed_instance(InstanceId=node)
assert ssm.reset_service_setting(SettingId=tier)["ServiceSetting"]["Status"] == "Default"
# Operations of 2026-11, which an older boto3 does not know.
if "RegisterDefaultHostManagementConfiguration" in ssm.meta.service_model.operation_names:
    role = ssm.register_default_host_management_configuration(PermissionModel="SERVICE_MANAGED", Overwrite=True)["RoleArn"]
    assert ":role/aws-reserved/" in role, role
    ssm.deregister_default_host_management_configuration()
else:
    print("unknown ssm:RegisterDefaultHostManagementConfiguration ssm:DeregisterDefaultHostManagementConfiguration")
refused("InvalidDocument", ssm.start_session, Target=target, DocumentName="doc")
refused("TargetNotConnected", ssm.start_session, Target="i-00000000000000000")

node = instances[0]
assert node["NetworkInterfaces"][0]["Groups"][0]["GroupId"] == node["SecurityGroups"][0]["GroupId"] and node["MetadataOptions"]["HttpTokens"] == "required"
profile = iam.get_instance_profile(InstanceProfileName="stg-ec2-instance-profile")["InstanceProfile"]
assert [r["RoleName"] for r in profile["Roles"]] == ["stg-EC2SSMRoleForRDSAccess"]
refused("NoSuchEntity", iam.get_instance_profile, InstanceProfileName="none")


def only(operation, key, name, value):
    found = [x for page in ec2.get_paginator(operation).paginate(Filters=[{"Name": name, "Values": [value]}], PaginationConfig={"PageSize": 5}) for x in page[key]]
    assert found, (operation, value)
    return found


vpc, subnet = "vpc-0b00000000000a000", "subnet-0b00000000000a002"
assert only("describe_vpcs", "Vpcs", "vpc-id", vpc)[0]["CidrBlock"] == "10.0.0.0/16"
assert only("describe_subnets", "Subnets", "vpc-id", vpc)[0]["SubnetId"] == subnet
endpoints = {e["ServiceName"].split(".")[-1]: e for e in only("describe_vpc_endpoints", "VpcEndpoints", "vpc-id", vpc)}
assert set(endpoints) == {"ssm", "ssmmessages", "ec2messages", "logs", "kms", "s3"}
assert endpoints["ssm"]["SubnetIds"] == [subnet] and endpoints["ssm"]["PrivateDnsEnabled"] and json.loads(endpoints["ssm"]["PolicyDocument"])
assert endpoints["s3"]["VpcEndpointType"] == "Gateway" and endpoints["s3"]["RouteTableIds"] == ["rtb-0b00000000000a002"]
group = endpoints["ssm"]["Groups"][0]["GroupId"]
inward = [r for r in only("describe_security_group_rules", "SecurityGroupRules", "group-id", group) if not r["IsEgress"]]
assert [(r["IpProtocol"], r["FromPort"], r["CidrIpv4"]) for r in inward] == [("tcp", 443, "10.0.0.0/16")]
assert only("describe_security_groups", "SecurityGroups", "group-id", group)[0]["IpPermissions"][0]["ToPort"] == 443
table = only("describe_route_tables", "RouteTables", "association.subnet-id", subnet)[0]
assert table["Routes"][0]["GatewayId"] == "local" and table["Routes"][0]["State"] == "active" and not table["Associations"][0]["Main"]
acl = only("describe_network_acls", "NetworkAcls", "association.subnet-id", subnet)[0]
assert acl["IsDefault"] and {e["RuleNumber"] for e in acl["Entries"]} == {100, 32767}
assert ec2.get_managed_prefix_list_entries(PrefixListId="pl-0b00000000000a001")["Entries"] == [{"Cidr": "10.0.0.0/16"}]
assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"] == {"Value": True}
assert ec2.describe_nat_gateways()["NatGateways"] == [] and ec2.describe_internet_gateways()["InternetGateways"] == []
refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-0"])

key = kms.describe_key(KeyId="alias/session-manager")["KeyMetadata"]
assert key["KeyState"] == "Enabled" and "Statement" in json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
refused("NotFoundException", kms.describe_key, KeyId="alias/none")
made = kms.generate_data_key(KeyId=key["Arn"], NumberOfBytes=64, EncryptionContext={"aws:ssm:TargetId": target})
assert len(made["Plaintext"]) == 64 and made["KeyId"] == key["Arn"]
opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"aws:ssm:TargetId": target})
assert opened["Plaintext"] == made["Plaintext"]
shown = [g for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="LogGroup-") for g in page["logGroups"]]
assert [g["kmsKeyId"] for g in shown] == [key["Arn"]] and shown[0]["creationTime"]
bucket = "ssm-session-manager-bucket"
assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "ap-northeast-1"
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "ap-northeast-1"
rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
assert json.loads(s3.get_bucket_policy(Bucket="with-policy")["Policy"])["Statement"]
refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket)
refused("NoSuchBucket", s3.get_bucket_encryption, Bucket="no-such-bucket")
refused("ServerSideEncryptionConfigurationNotFoundError", s3.get_bucket_encryption, Bucket="with-policy")
refused("404", s3.head_bucket, Bucket="no-such-bucket")
