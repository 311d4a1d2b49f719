package wire_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func TestFormBecomesTheInput(t *testing.T) {
	form := url.Values{
		"Action": {"SimulatePrincipalPolicy"}, "Unknown": {"ignored"}, "PolicySourceArn": {"arn"}, "MaxItems": {"7"},
		"ActionNames.member.2": {"b"}, "ActionNames.member.1": {"a"}, "ActionNames.member.10": {"c"},
		"ContextEntries.member.1.ContextKeyName": {"k"}, "ContextEntries.member.1.ContextKeyType": {"string"},
		"ContextEntries.member.1.ContextKeyValues.member.1": {"v"}, "ResourceArns": {""},
	}
	var got iam.SimulatePrincipalPolicyInput
	if err := wire.IAM.DecodeQuery(form, &got); err != nil {
		t.Fatal(err)
	}
	want := iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn"), MaxItems: aws.Int32(7), ActionNames: []string{"a", "b", "c"}, ResourceArns: []string{},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("k"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"v"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the input is %+v, want %+v", got, want)
	}
}

func TestEC2FormHasFlatListsAndNamesOfItsOwn(t *testing.T) {
	form := url.Values{"InstanceId.1": {"i-1"}, "InstanceId.2": {"i-2"}, "Filter.1.Name": {"tag:a"}, "Filter.1.Value.1": {"x"}, "Filter.1.Value.2": {"y"}}
	var got ec2.DescribeInstancesInput
	if err := wire.EC2.DecodeQuery(form, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.InstanceIds) != 2 || *got.Filters[0].Name != "tag:a" || len(got.Filters[0].Values) != 2 {
		t.Fatalf("the input is %+v", got)
	}
}

func TestValuesOfTheWrongFormAreRefused(t *testing.T) {
	for name, form := range map[string]url.Values{"a word for a number": {"MaxItems": {"many"}}, "too large a number": {"MaxItems": {"99999999999"}}} {
		if err := wire.IAM.DecodeQuery(form, &iam.ListUsersInput{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, body := range []string{`{"MaxResults":"x"}`, `{"MaxResults":1.5}`, `{"Filters":{}}`, `[]`, `{`, `{"State":1}`} {
		if err := wire.DecodeJSON([]byte(body), &ssm.DescribeSessionsInput{}); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

func TestAnswerEscapesTextAndLeavesOutWhatIsNotSet(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 9*3600))
	body := string(wire.IAM.EncodeAnswer("GetUser", "id", &iam.GetUserOutput{User: &types.User{
		UserName: aws.String(`a<b>&"c"`), CreateDate: &at, Tags: []types.Tag{},
	}}))
	want := `<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><CreateDate>2026-01-01T18:04:05Z</CreateDate>` +
		`<UserName>a&lt;b&gt;&amp;&#34;c&#34;</UserName><Tags></Tags></User></GetUserResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetUserResponse>`
	if body != want {
		t.Fatalf("the answer is\n%s, want\n%s", body, want)
	}
}

func TestErrorDocumentsAreThoseOfTheProtocol(t *testing.T) {
	failure := wire.Errorf(404, "NoSuchEntity", "gone: %s", "<x>")
	for want, got := range map[string]string{
		`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>gone: &lt;x&gt;</Message></Error><RequestId>id</RequestId></ErrorResponse>`: string(wire.IAM.EncodeError("id", failure)),
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Response><Errors><Error><Code>NoSuchEntity</Code><Message>gone: &lt;x&gt;</Message></Error></Errors><RequestID>id</RequestID></Response>`:             string(wire.EC2.EncodeError("id", failure)),
		`{"Message":"gone: \u003cx\u003e","__type":"NoSuchEntity"}`: string(wire.EncodeJSONError(failure)),
	} {
		if got != want {
			t.Errorf("the error is\n%s, want\n%s", got, want)
		}
	}
}

func TestJSONHasTheNamesOfTheModel(t *testing.T) {
	// The SDK calls these members Key and Value, the model key and value.
	var in ssm.DescribeSessionsInput
	if err := wire.DecodeJSON([]byte(`{"State":"Active","Filters":[{"key":"Owner","value":"me"}]}`), &in); err != nil {
		t.Fatal(err)
	}
	if in.Filters[0].Key != ssmtypes.SessionFilterKeyOwner || *in.Filters[0].Value != "me" {
		t.Fatalf("the filters are %+v", in.Filters)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.UTC)
	body, err := wire.EncodeJSON(t.Context(), &ssm.DescribeSessionsOutput{Sessions: []ssmtypes.Session{{SessionId: aws.String("s"), StartDate: &at}}})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Sessions []map[string]any }
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(err)
	}
	if s := out.Sessions[0]; len(s) != 2 || s["SessionId"] != "s" || s["StartDate"] != 1767323045.25 {
		t.Fatalf("the session is %v", s)
	}
}

func FuzzFormsNeverBreakTheDecoder(f *testing.F) {
	f.Add("Tags.member.1.Key=a&Tags.member.1.Value=b&PolicyName=x")
	f.Add("Tags.member.-1.Key=a&Tags=&Tags.member=1&.=&MaxItems=&SetAsDefault=maybe")
	f.Add("Filter.1.Value.1=a&Filter.1..=b")
	f.Fuzz(func(_ *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		_ = wire.IAM.DecodeQuery(form, &iam.CreatePolicyInput{})
		_ = wire.IAM.DecodeQuery(form, &iam.SimulatePrincipalPolicyInput{})
		_ = wire.EC2.DecodeQuery(form, &ec2.DescribeInstancesInput{})
	})
}

func FuzzBodiesNeverBreakTheDecoder(f *testing.F) {
	f.Add(`{"Target":"i-1","Parameters":{"a":["b"]}}`)
	f.Add(`{"Filters":[null,{"Key":[]}],"MaxResults":1e99}`)
	f.Fuzz(func(_ *testing.T, body string) {
		_ = wire.DecodeJSON([]byte(body), &ssm.StartSessionInput{})
		_ = wire.DecodeJSON([]byte(body), &ssm.DescribeSessionsInput{})
		_ = wire.DecodeJSON([]byte(body), &ssm.CreateDocumentInput{})
	})
}

func TestTextOfAnyKindSurvivesTheAnswer(t *testing.T) {
	text := strings.Repeat("日本語 & <tag> \u00e9 ", 3)
	body := string(wire.STS.EncodeAnswer("GetUser", "id", &iam.GetUserOutput{User: &types.User{UserName: &text}}))
	if !strings.Contains(body, "日本語 &amp; &lt;tag&gt; é") {
		t.Fatalf("the answer is %s", body)
	}
}
