package awsemulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emussm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

func TestControlEndpointSteersDocumentsActivationsAndTier(t *testing.T) {
	w := newWorld(t)
	at := func(what string) string { return strings.Replace(nodes, "/nodes", "/"+what, 1) }
	a := w.newActivation(ssm.CreateActivationInput{})
	body := `{"activationId":"` + *a.ActivationId + `","activationCode":"` + *a.ActivationCode + `","name":"branch"}`
	if id := w.tell("POST", at("register"), body)["instanceId"].(string); !strings.HasPrefix(id, "mi-") {
		t.Fatalf("the node is %s", id)
	}
	if status, out := w.ask("POST", at("register"), body); status != 400 || !strings.Contains(out["error"].(string), "RegistrationLimitExceeded") {
		t.Fatalf("a used-up activation answers %v", out)
	}
	if text := fmt.Sprint(w.tell("GET", at("activations"), "")); strings.Contains(text, *a.ActivationCode) || !strings.Contains(text, *a.ActivationId) {
		t.Fatal("the activations are shown with their codes or not at all")
	}
	w.tell("POST", "settings", `{"tierUp":"1m","documentDelay":"5s"}`)
	wantCode(t, w.setTier("advanced"), "")
	if out := w.tell("GET", at("tier"), ""); out["tier"] != "standard" || out["status"] != "PendingUpdate" {
		t.Fatalf("the tier is %v", out)
	}
	w.tell("POST", at("tier"), `{"tier":"advanced"}`)
	if out := w.tell("GET", at("tier"), ""); out["tier"] != "advanced" || out["status"] != "Customized" {
		t.Fatalf("the tier is %v", out)
	}
	w.tell("POST", at("limits"), `{"documents":1}`)
	wantCode(t, w.createDocument("one", idle("1")), "")
	wantCode(t, w.createDocument("two", idle("1")), "DocumentLimitExceeded")
	if list := w.tell("GET", at("documents"), "")["list"].([]any); len(list) != 1 {
		t.Fatalf("the documents are %v", list)
	}
	if status, _ := w.ask("POST", at("tier"), `{"tier":"golden"}`); status != 400 {
		t.Fatal("a golden tier is taken")
	}
}

func TestFixtureHoldsDocumentsActivationsAndSettings(t *testing.T) {
	const text = `
accounts:
- id: "` + neighbour + `"
  regions:
    ` + region + `:
      serviceSettings: {/ssm/managed-instance/activation-tier: advanced}
      activations:
      - {id: 11111111-2222-3333-4444-555555555555, code: abcdefghijklmnopqrst, role: r, registrationLimit: 2, tags: {k: v}}
      documents:
      - name: audited
        versions:
        - {content: {schemaVersion: "1.0", sessionType: Standard_Stream}}
        - {name: two, content: {schemaVersion: "1.0", sessionType: Standard_Stream, inputs: {idleSessionTimeout: "5"}}}
        default: 2
        shares: ["` + account + `"]
`
	w := newWorld(t, func(o *awsemulator.Options) {
		o.Fixture.Accounts = append(o.Fixture.Accounts, must(fixtures.Parse([]byte(text)))(t).Accounts...)
	})
	systems := w.Account(neighbour).Region(region).SSM
	if d, ok := systems.Document("audited"); !ok || d.Default != 2 || d.Latest().Name != "two" {
		t.Fatalf("the document is %+v", d)
	}
	must(w.Register(emussm.Registration{ActivationID: "11111111-2222-3333-4444-555555555555", ActivationCode: "abcdefghijklmnopqrst"}))(t)
	if systems.Tier() != emussm.TierAdvanced {
		t.Fatalf("the tier is %s", systems.Tier())
	}
	must(w.ssm(admin).GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("arn:aws:ssm:" + region + ":" + neighbour + ":document/audited")}))(t)
}

func TestOperatorMayKeepDocumentsActivationsAndTier(t *testing.T) {
	w := newWorld(t)
	c := w.ssm(operator)
	must(c.CreateDocument(ctx(t), &ssm.CreateDocumentInput{
		Name: aws.String("audited"), Content: aws.String(idle("1")), DocumentType: types.DocumentTypeSession, Tags: ssmTags("k", "v"),
	}))(t)
	must(c.GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited")}))(t)
	a := must(c.CreateActivation(ctx(t), &ssm.CreateActivationInput{IamRole: aws.String(serviceRole), Tags: ssmTags("k", "v")}))(t)
	node := must(w.register(a))(t)
	must(c.DeleteActivation(ctx(t), &ssm.DeleteActivationInput{ActivationId: a.ActivationId}))(t)
	must(c.DeregisterManagedInstance(ctx(t), &ssm.DeregisterManagedInstanceInput{InstanceId: aws.String(node)}))(t)
	must(c.UpdateServiceSetting(ctx(t), &ssm.UpdateServiceSettingInput{SettingId: aws.String(tierSetting), SettingValue: aws.String("advanced")}))(t)
	_, err := c.CreateActivation(ctx(t), &ssm.CreateActivationInput{IamRole: aws.String("node")})
	wantCode(t, err, "AccessDeniedException")
	_, err = c.StartSession(ctx(t), &ssm.StartSessionInput{Target: aws.String(pc01)})
	wantCode(t, err, "AccessDeniedException")
}
