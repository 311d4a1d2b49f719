package awsemulator_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	emussm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

const serviceRole = "SSMServiceRole"

// newActivation creates an activation, of the service role where none is named.
func (w *world) newActivation(in ssm.CreateActivationInput) *ssm.CreateActivationOutput {
	w.t.Helper()
	if in.IamRole == nil {
		in.IamRole = aws.String(serviceRole)
	}
	return must(w.ssm(admin).CreateActivation(ctx(w.t), &in))(w.t)
}

func (w *world) register(a *ssm.CreateActivationOutput) (string, error) {
	id, err := w.Register(emussm.Registration{ActivationID: *a.ActivationId, ActivationCode: *a.ActivationCode})
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		return "", &smithy.GenericAPIError{Code: refused.Code}
	}
	return id, err
}

// registerOverHTTP registers a machine as the agent does: without a signature.
func (w *world) registerOverHTTP(a *ssm.CreateActivationOutput) (string, error) {
	w.t.Helper()
	body := must(json.Marshal(map[string]string{
		"ActivationId": *a.ActivationId, "ActivationCode": *a.ActivationCode, "Fingerprint": "f", "PublicKey": nodeKey(w.t), "PublicKeyType": "Rsa",
	}))(w.t)
	request := must(http.NewRequestWithContext(ctx(w.t), http.MethodPost, w.url, bytes.NewReader(body)))(w.t)
	request.Header.Set("X-Amz-Target", "AmazonSSM.RegisterManagedInstance")
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var out struct {
		InstanceID string `json:"InstanceId"`
		Type       string `json:"__type"`
	}
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		return "", &smithy.GenericAPIError{Code: out.Type}
	}
	return out.InstanceID, nil
}

// nodeKey is a key of a node, as the agent sends it.
func nodeKey(t *testing.T) string {
	t.Helper()
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	return base64.StdEncoding.EncodeToString(must(x509.MarshalPKIXPublicKey(&key.PublicKey))(t))
}

// activations lists what passes the filters, key and value in turn, in small
// pages.
func (w *world) activations(filters ...string) []types.Activation {
	w.t.Helper()
	in := &ssm.DescribeActivationsInput{MaxResults: aws.Int32(2)}
	for i := 0; i < len(filters); i += 2 {
		in.Filters = append(in.Filters, types.DescribeActivationsFilter{FilterKey: types.DescribeActivationsFilterKeys(filters[i]), FilterValues: []string{filters[i+1]}})
	}
	var all []types.Activation
	pages := ssm.NewDescribeActivationsPaginator(w.ssm(admin), in)
	for pages.HasMorePages() {
		all = append(all, must(pages.NextPage(ctx(w.t)))(w.t).ActivationList...)
	}
	return all
}

func ssmTags(pairs ...string) []types.Tag {
	var list []types.Tag
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Tag{Key: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return list
}

func TestMachineRegistersWithIdAndCode(t *testing.T) {
	w := newWorld(t)
	a := w.newActivation(ssm.CreateActivationInput{
		DefaultInstanceName: aws.String("branch"), RegistrationLimit: aws.Int32(2), Tags: ssmTags("site", "osaka"),
	})
	if len(*a.ActivationCode) < 20 {
		t.Fatalf("the code has %d characters", len(*a.ActivationCode))
	}
	id, err := w.registerOverHTTP(a)
	wantCode(t, err, "")
	must(w.register(a))(t)
	_, err = w.registerOverHTTP(a)
	wantCode(t, err, "RegistrationLimitExceeded")
	list := w.activations()
	if len(list) != 1 || *list[0].RegistrationsCount != 2 || *list[0].RegistrationLimit != 2 || list[0].Expired || len(list[0].Tags) != 1 || *list[0].IamRole != serviceRole {
		t.Fatalf("the activations are %+v", list)
	}
	out := must(w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{{Key: aws.String("ActivationIds"), Values: []string{*a.ActivationId}}},
	}))(t)
	if n := out.InstanceInformationList; len(n) != 2 || n[0].PingStatus == n[1].PingStatus || *n[0].Name != "branch" || *n[0].IamRole != serviceRole {
		t.Fatalf("the nodes are %+v", n)
	}
	tagged := must(w.ssm(admin).ListTagsForResource(ctx(t), &ssm.ListTagsForResourceInput{ResourceType: "ManagedInstance", ResourceId: &id}))(t)
	if len(tagged.TagList) != 1 || *tagged.TagList[0].Value != "osaka" {
		t.Fatalf("the tags of the node are %+v", tagged.TagList)
	}
	must(w.ssm(admin).DeleteActivation(ctx(t), &ssm.DeleteActivationInput{ActivationId: a.ActivationId}))(t)
	must(w.ssm(admin).DeregisterManagedInstance(ctx(t), &ssm.DeregisterManagedInstanceInput{InstanceId: &id}))(t)
	_, err = w.ssm(admin).DeregisterManagedInstance(ctx(t), &ssm.DeregisterManagedInstanceInput{InstanceId: &id})
	wantCode(t, err, "InvalidInstanceId")
	if n := w.Account(account).Region(region).Fleet.Nodes().Len(); n != 3 {
		t.Fatalf("%d nodes are left, want two instances and the other machine", n)
	}
}

func TestMachineIsTurnedAway(t *testing.T) {
	w := newWorld(t)
	a := w.newActivation(ssm.CreateActivationInput{RegistrationLimit: aws.Int32(1000)})
	wrong := *a
	wrong.ActivationCode = aws.String(strings.Repeat("x", 20))
	_, err := w.registerOverHTTP(&wrong)
	wantCode(t, err, "InvalidActivation")
	other := *a
	other.ActivationId = aws.String("00000000-0000-0000-0000-000000000000")
	_, err = w.registerOverHTTP(&other)
	wantCode(t, err, "InvalidActivation")
	w.Account(account).Region(region).SSM.SetLimits(emussm.Limits{StandardNodes: 1})
	must(w.register(a))(t)
	_, err = w.register(a)
	wantCode(t, err, "RegistrationLimitExceeded")
	w.Account(account).Region(region).SSM.SetTier(emussm.TierAdvanced)
	must(w.register(a))(t)
	w.Advance(24 * time.Hour)
	_, err = w.register(a)
	wantCode(t, err, "ActivationExpired")
	if !w.activations()[0].Expired {
		t.Fatal("the activation is not shown as expired")
	}
	must(w.ssm(admin).DeleteActivation(ctx(t), &ssm.DeleteActivationInput{ActivationId: a.ActivationId}))(t)
	_, err = w.register(a)
	wantCode(t, err, "InvalidActivation")
}

func TestActivationIsChecked(t *testing.T) {
	w := newWorld(t)
	at := func(d time.Duration) *time.Time { return aws.Time(start.Add(d)) }
	for name, c := range map[string]struct {
		in   ssm.CreateActivationInput
		code string
	}{
		"thirty days":           {ssm.CreateActivationInput{ExpirationDate: at(30 * 24 * time.Hour)}, ""},
		"more than thirty days": {ssm.CreateActivationInput{ExpirationDate: at(30*24*time.Hour + time.Second)}, "ValidationException"},
		"in the past":           {ssm.CreateActivationInput{ExpirationDate: at(-time.Second)}, "ValidationException"},
		"no machine":            {ssm.CreateActivationInput{RegistrationLimit: aws.Int32(0)}, "ValidationException"},
		"too many machines":     {ssm.CreateActivationInput{RegistrationLimit: aws.Int32(1001)}, "ValidationException"},
		"long description":      {ssm.CreateActivationInput{Description: aws.String(strings.Repeat("x", 257))}, "ValidationException"},
		"bad name":              {ssm.CreateActivationInput{DefaultInstanceName: aws.String("a*b")}, "ValidationException"},
		"no such role":          {ssm.CreateActivationInput{IamRole: aws.String("nobody")}, "ValidationException"},
		"role of EC2":           {ssm.CreateActivationInput{IamRole: aws.String("node")}, "ValidationException"},
		"ARN":                   {ssm.CreateActivationInput{IamRole: aws.String("arn:aws:iam::" + account + ":role/" + serviceRole)}, "ValidationException"},
		"tag of AWS":            {ssm.CreateActivationInput{Tags: ssmTags("aws:x", "y")}, "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.IamRole == nil {
				c.in.IamRole = aws.String(serviceRole)
			}
			_, err := w.ssm(admin).CreateActivation(ctx(t), &c.in)
			wantCode(t, err, c.code)
		})
	}
	_, err := w.ssm(admin).DeleteActivation(ctx(t), &ssm.DeleteActivationInput{ActivationId: aws.String("x")})
	wantCode(t, err, "InvalidActivationId")
	_, err = w.ssm(admin).DeleteActivation(ctx(t), &ssm.DeleteActivationInput{ActivationId: aws.String("00000000-0000-0000-0000-000000000000")})
	wantCode(t, err, "InvalidActivation")
}

func TestRoleOfAMomentAgoIsNotKnownYet(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Evaluation: 10 * time.Second})
	must(w.iam(admin).CreateRole(ctx(t), &iam.CreateRoleInput{
		RoleName: aws.String("young"), Path: aws.String("/service-role/"),
		AssumeRolePolicyDocument: aws.String(strings.Replace(trustEC2, "ec2.amazonaws.com", "ssm.amazonaws.com", 1)),
	}))(t)
	create := func() error {
		_, err := w.ssm(admin).CreateActivation(ctx(t), &ssm.CreateActivationInput{IamRole: aws.String("service-role/young")})
		return err
	}
	wantCode(t, create(), "ValidationException")
	w.Advance(10 * time.Second)
	wantCode(t, create(), "")
}

func TestActivationsAreFilteredAndLag(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.newActivation(ssm.CreateActivationInput{DefaultInstanceName: aws.String("a")})
	}
	id := *w.newActivation(ssm.CreateActivationInput{DefaultInstanceName: aws.String("b")}).ActivationId
	for want, filters := range map[int][]string{
		4: {"IamRole", serviceRole}, 3: {"DefaultInstanceName", "a"}, 1: {"ActivationIds", id}, 0: {"ActivationIds", id, "DefaultInstanceName", "a"},
	} {
		if got := len(w.activations(filters...)); got != want {
			t.Errorf("%d activations pass %v, want %d", got, filters, want)
		}
	}
	_, err := w.ssm(admin).DescribeActivations(ctx(t), &ssm.DescribeActivationsInput{Filters: []types.DescribeActivationsFilter{{FilterKey: "Nonsense"}}})
	wantCode(t, err, "InvalidFilter")
	w.SetConsistency(awsemulator.Consistency{Activations: 20 * time.Second})
	w.newActivation(ssm.CreateActivationInput{})
	if n := len(w.activations()); n != 4 {
		t.Fatalf("%d activations are seen inside the lag", n)
	}
	w.Advance(20 * time.Second)
	if n := len(w.activations()); n != 5 {
		t.Fatalf("%d activations are seen after the lag", n)
	}
}

func TestActivationWithoutAnAnswerExistsAndItsCodeIsLost(t *testing.T) {
	w := newWorld(t)
	w.inject(faults.Fault{Kind: faults.DropAfter, Action: "ssm:CreateActivation", Count: 1})
	_, err := w.ssm(admin).CreateActivation(ctx(t), &ssm.CreateActivationInput{IamRole: aws.String(serviceRole), Tags: ssmTags("nonce", "1")})
	if err == nil {
		t.Fatal("the lost answer came")
	}
	list := w.activations()
	if len(list) != 1 || *list[0].Tags[0].Value != "1" {
		t.Fatalf("the activations are %+v", list)
	}
	for _, c := range w.CallLog(0) {
		if _, ok := c.Parameters["ActivationCode"]; ok {
			t.Fatalf("the log has the code: %+v", c)
		}
	}
}

func TestActivationNeedsThePermissionToPassAndToTag(t *testing.T) {
	w := newWorld(t)
	create := func(tags ...string) error {
		_, err := w.ssm(user01).CreateActivation(ctx(t), &ssm.CreateActivationInput{IamRole: aws.String(serviceRole), Tags: ssmTags(tags...)})
		return err
	}
	pass := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::` + account + `:role/SSM*","Condition":{"StringEquals":{"iam:PassedToService":"ssm.amazonaws.com"}}}`
	tag := `{"Effect":"Allow","Action":"ssm:AddTagsToResource","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}`
	createAny := `{"Effect":"Allow","Action":"ssm:CreateActivation","Resource":"*"}`
	wantCode(t, create(), "AccessDeniedException")
	w.allow("user01", statements(createAny))
	wantCode(t, create(), "AccessDeniedException")
	w.allow("user01", statements(pass))
	wantCode(t, create(), "")
	wantCode(t, create("team", "a"), "AccessDeniedException")
	w.allow("user01", statements(tag))
	wantCode(t, create("team", "b"), "AccessDeniedException")
	wantCode(t, create("team", "a"), "")
}

// allow embeds one more policy in a user.
func (w *world) allow(user, document string) {
	w.t.Helper()
	name := "more-" + strconv.Itoa(w.Calls().Total)
	must(w.iam(admin).PutUserPolicy(ctx(w.t), &iam.PutUserPolicyInput{
		UserName: aws.String(user), PolicyName: aws.String(name), PolicyDocument: aws.String(document),
	}))(w.t)
}

// statements makes a policy document of statements.
func statements(list ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}
