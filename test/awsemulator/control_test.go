package awsemulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ask calls the control endpoint and returns status and body.
func (w *world) ask(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	request := must(http.NewRequestWithContext(ctx(w.t), method, w.url+"/_emulator/"+path, strings.NewReader(body)))(w.t)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var buffer bytes.Buffer
	if _, err := buffer.ReadFrom(response.Body); err != nil {
		w.t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(buffer.Bytes(), &out); err != nil {
		w.t.Fatalf("%s %s answers %d %s", method, path, response.StatusCode, buffer.String())
	}
	if list, ok := out.([]any); ok {
		return response.StatusCode, map[string]any{"list": list}
	}
	return response.StatusCode, out.(map[string]any)
}

// tell calls the control endpoint and expects success.
func (w *world) tell(method, path, body string) map[string]any {
	w.t.Helper()
	status, out := w.ask(method, path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s answers %d %v", method, path, status, out)
	}
	return out
}

const nodes = "accounts/" + account + "/regions/" + region + "/nodes"

func TestControlEndpointSteersTheEmulator(t *testing.T) {
	w := newWorld(t)
	if out := w.tell("GET", "health", ""); out["ok"] != true {
		t.Fatalf("the health is %v", out)
	}
	id := w.tell("POST", "faults", `{"kind":"throttle","action":"sts:*"}`)["id"].(string)
	_, err := w.sts(admin).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{})
	wantCode(t, err, "Throttling")
	if list := w.tell("GET", "faults", "")["list"].([]any); len(list) != 1 || list[0].(map[string]any)["fired"] != 1.0 {
		t.Fatalf("the faults are %v", list)
	}
	w.tell("DELETE", "faults/"+id, "")
	must(w.sts(admin).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if out := w.tell("GET", "calls", ""); out["total"] != 2.0 || out["byAction"].(map[string]any)["sts:GetCallerIdentity"] != 2.0 {
		t.Fatalf("the calls are %v", out)
	}
	if list := w.tell("GET", "calls/log?since=1", "")["list"].([]any); len(list) != 1 {
		t.Fatalf("the log is %v", list)
	}
	w.tell("POST", "calls/reset", "")
	if out := w.tell("GET", "calls", ""); out["total"] != 0.0 {
		t.Fatalf("after the reset the calls are %v", out)
	}
	w.tell("POST", "accounts/"+account+"/quotas", `{"PoliciesQuota":1}`)
	_, err = w.iam(admin).CreatePolicy(ctx(t), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(anyDocument)})
	wantCode(t, err, "LimitExceeded")
	w.tell("POST", "settings", `{"readDelay":"30s","evaluateIAM":false}`)
	must(w.iam(user01).CreateUser(ctx(t), &iam.CreateUserInput{UserName: aws.String("x")}))(t)
	_, err = w.iam(admin).GetUser(ctx(t), &iam.GetUserInput{UserName: aws.String("x")})
	wantCode(t, err, "NoSuchEntity")
	w.tell("POST", "clock/advance", `{"by":"30s"}`)
	must(w.iam(admin).GetUser(ctx(t), &iam.GetUserInput{UserName: aws.String("x")}))(t)
	if out := w.tell("GET", "accounts/"+account+"/iam", ""); len(out["users"].([]any)) != 5 {
		t.Fatalf("the export has %v", out["users"])
	}
}

func TestControlEndpointSteersNodesAndSessions(t *testing.T) {
	w := newWorld(t)
	w.tell("PATCH", nodes+"/"+pc01, `{"online":false}`)
	_, err := w.open(admin, pc01)
	wantCode(t, err, "TargetNotConnected")
	w.tell("PATCH", nodes+"/"+pc01, `{"online":true,"tags":{"Env":"stg"}}`)
	must(w.open(admin, pc01))(t)
	w.tell("POST", nodes, `{"managedNodes":[{"id":"mi-00000000000000001","name":"branch"}]}`)
	if list := w.tell("GET", nodes, "")["list"].([]any); len(list) != 3 {
		t.Fatalf("the nodes are %v", list)
	}
	sessions := strings.Replace(nodes, "/nodes", "/sessions", 1)
	id := w.tell("POST", sessions, `{"principal":"arn:aws:iam::`+account+`:user/user01","target":"`+pc01+`"}`)["id"].(string)
	w.tell("DELETE", sessions+"/"+id, "")
	states := map[string]int{}
	for _, s := range w.tell("GET", sessions, "")["list"].([]any) {
		states[s.(map[string]any)["status"].(string)]++
	}
	if states["Connected"] != 1 || states["Terminated"] != 1 {
		t.Fatalf("the sessions are %v", states)
	}
	out := w.tell("POST", "may", `{"principal":"arn:aws:iam::`+account+`:user/user01","region":"`+region+`","target":"`+pc01+`"}`)
	if out["allowed"] != false {
		t.Fatalf("the answer is %v", out)
	}
}

func TestControlEndpointSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "faults", `{"kind":"explode"}`},
		{"POST", "faults", `{"kynd":"throttle"}`},
		{"POST", "faults", `nonsense`},
		{"POST", "settings", `{"readDelay":"soon"}`},
		{"POST", "clock/advance", `{"by":"x"}`},
		{"GET", "calls/log?since=x", ""},
		{"POST", "may", `{"principal":"x"}`},
		{"GET", "accounts/000000000000/iam", ""},
		{"POST", "accounts/" + account + "/quotas", `{"Nonsense":1}`},
		{"PATCH", nodes + "/i-none", `{"online":true}`},
		{"POST", nodes, `{"instances":[{"id":"x"}]}`},
		{"POST", "accounts", `{"id":"` + account + `"}`},
	} {
		status, out := w.ask(c.method, c.path, c.body)
		if text, _ := out["error"].(string); status != http.StatusBadRequest || text == "" {
			t.Errorf("%s %s %s answers %d %v", c.method, c.path, c.body, status, out)
		}
	}
}
