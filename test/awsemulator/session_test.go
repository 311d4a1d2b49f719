package awsemulator_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

// describe lists sessions in a state.
func (w *world) describe(state types.SessionState, filters ...types.SessionFilter) []types.Session {
	w.t.Helper()
	var all []types.Session
	pages := ssm.NewDescribeSessionsPaginator(w.ssm(admin), &ssm.DescribeSessionsInput{State: state, Filters: filters, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		all = append(all, must(pages.NextPage(ctx(w.t)))(w.t).Sessions...)
	}
	return all
}

func by(key types.SessionFilterKey, value string) types.SessionFilter {
	return types.SessionFilter{Key: key, Value: aws.String(value)}
}

func TestSessionIsActiveUntilItHasEnded(t *testing.T) {
	w := newWorld(t)
	w.SetSessionEndingTime(10 * time.Second)
	id := must(w.open(admin, pc01))(t)
	if !regexp.MustCompile(`^admin-[a-z0-9]{26}$`).MatchString(id) {
		t.Fatalf("the session id is %s", id)
	}
	active := w.describe(types.SessionStateActive)
	if len(active) != 1 || active[0].Status != types.SessionStatusConnected || *active[0].Owner != "arn:aws:iam::"+account+":user/admin" || *active[0].Target != pc01 || *active[0].DocumentName != "SSM-SessionManagerRunShell" {
		t.Fatalf("the active sessions are %+v", active)
	}
	must(w.ssm(admin).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)}))(t)
	if active = w.describe(types.SessionStateActive); len(active) != 1 || active[0].Status != types.SessionStatusTerminating {
		t.Fatalf("while it ends the active sessions are %+v", active)
	}
	_, err := w.ssm(admin).ResumeSession(ctx(t), &ssm.ResumeSessionInput{SessionId: aws.String(id)})
	wantCode(t, err, "DoesNotExistException")
	w.Advance(10 * time.Second)
	if active = w.describe(types.SessionStateActive); len(active) != 0 {
		t.Fatalf("the session that has ended is active: %+v", active)
	}
	history := w.describe(types.SessionStateHistory)
	if len(history) != 1 || history[0].Status != types.SessionStatusTerminated || !history[0].EndDate.Equal(start.Add(10*time.Second)) {
		t.Fatalf("the history is %+v", history)
	}
}

func TestTerminateSessionSucceedsWhateverTheSession(t *testing.T) {
	w := newWorld(t)
	out := must(w.ssm(admin).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String("nobody-0123456789abcdef0")}))(t)
	if *out.SessionId != "nobody-0123456789abcdef0" {
		t.Fatalf("the answer is %+v", out)
	}
}

func TestSessionsAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		must(w.open(admin, pc01))(t)
	}
	w.Advance(time.Hour)
	id := must(w.open(admin, pc02))(t)
	if id := must(w.OpenSession("arn:aws:sts::"+account+":assumed-role/node/bob", region, pc02, ""))(t); !strings.HasPrefix(id, "bob-") {
		t.Fatalf("the session of a role is %s", id)
	}
	for name, c := range map[string]struct {
		filters []types.SessionFilter
		want    int
	}{
		"none":                {nil, 5},
		"target":              {[]types.SessionFilter{by(types.SessionFilterKeyTargetId, pc01)}, 3},
		"owner":               {[]types.SessionFilter{by(types.SessionFilterKeyOwner, "arn:aws:iam::"+account+":user/admin")}, 4},
		"owner, not whole":    {[]types.SessionFilter{by(types.SessionFilterKeyOwner, "admin")}, 0},
		"owner and target":    {[]types.SessionFilter{by(types.SessionFilterKeyOwner, "arn:aws:sts::"+account+":assumed-role/node/bob"), by(types.SessionFilterKeyTargetId, pc02)}, 1},
		"id":                  {[]types.SessionFilter{by(types.SessionFilterKeySessionId, id)}, 1},
		"invoked after":       {[]types.SessionFilter{by(types.SessionFilterKeyInvokedAfter, "2026-12-01T09:30:00Z")}, 2},
		"invoked before":      {[]types.SessionFilter{by(types.SessionFilterKeyInvokedBefore, "2026-12-01T09:30:00Z")}, 3},
		"status":              {[]types.SessionFilter{by(types.SessionFilterKeyStatus, "Connected")}, 5},
		"just-in-time access": {[]types.SessionFilter{by(types.SessionFilterKeyAccessType, "JustInTime")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(w.describe(types.SessionStateActive, c.filters...)); got != c.want {
				t.Fatalf("%d sessions pass, want %d", got, c.want)
			}
		})
	}
	_, err := w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: "Open"})
	wantCode(t, err, "ValidationException")
	_, err = w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive, MaxResults: aws.Int32(201)})
	wantCode(t, err, "ValidationException")
	_, err = w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive, Filters: []types.SessionFilter{by("Nonsense", "x")}})
	wantCode(t, err, "InvalidFilterKey")
	_, err = w.ssm(admin).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive, NextToken: aws.String("x")})
	wantCode(t, err, "InvalidNextToken")
}

func TestSessionsAreRegional(t *testing.T) {
	w := newWorld(t)
	must(w.open(admin, pc01))(t)
	cfg := w.config(admin)
	cfg.Region = "us-east-1"
	out := must(ssm.NewFromConfig(cfg).DescribeSessions(ctx(t), &ssm.DescribeSessionsInput{State: types.SessionStateActive}))(t)
	if len(out.Sessions) != 0 {
		t.Fatalf("another region sees %+v", out.Sessions)
	}
	_, err := ssm.NewFromConfig(cfg).StartSession(ctx(t), &ssm.StartSessionInput{Target: aws.String(pc01)})
	wantCode(t, err, "TargetNotConnected")
}

func TestNodeOffLineIsNotConnected(t *testing.T) {
	w := newWorld(t)
	machines := w.Account(account).Region(region).Fleet
	status := func() types.ConnectionStatus {
		return must(w.ssm(admin).GetConnectionStatus(ctx(t), &ssm.GetConnectionStatusInput{Target: aws.String(pc01)}))(t).Status
	}
	ping := func() types.PingStatus {
		for _, i := range must(w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{}))(t).InstanceInformationList {
			if *i.InstanceId == pc01 {
				return i.PingStatus
			}
		}
		return "left out"
	}
	for _, step := range []struct {
		name   string
		change func() error
		status types.ConnectionStatus
		ping   types.PingStatus
		code   string
	}{
		{"at the start", func() error { return nil }, types.ConnectionStatusConnected, types.PingStatusOnline, ""},
		{"off line", func() error { return machines.SetOnline(pc01, false) }, types.ConnectionStatusNotConnected, types.PingStatusConnectionLost, "TargetNotConnected"},
		{"online, not yet connected", func() error { return machines.SetAgent(pc01, true, false) }, types.ConnectionStatusNotConnected, types.PingStatusOnline, "TargetNotConnected"},
		{"stopped", func() error { return machines.Change(pc01, func(n *fleet.Node) { n.State = "stopped" }) }, types.ConnectionStatusNotConnected, "left out", "TargetNotConnected"},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		if s, p := status(), ping(); s != step.status || p != step.ping {
			t.Errorf("%s it is %s and %s, want %s and %s", step.name, s, p, step.status, step.ping)
		}
		_, err := w.open(admin, pc01)
		if got := codeOf(err); got != step.code {
			t.Errorf("%s a session is answered by %q, want %q", step.name, got, step.code)
		}
	}
	_, err := w.open(admin, "i-00000000000000000")
	wantCode(t, err, "TargetNotConnected")
}

func TestNodesAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	var more fixtures.Region
	for i := range 10 {
		more.ManagedNodes = append(more.ManagedNodes, fixtures.ManagedNode{
			ID: "mi-0000000000000000" + string(rune('a'+i)), Name: "branch", ActivationID: "act", Tags: map[string]string{"Env": "stg"},
		})
	}
	if err := w.Account(account).Region(region).Fleet.Load(more); err != nil {
		t.Fatal(err)
	}
	filter := func(pairs ...string) []types.InstanceInformationStringFilter {
		var list []types.InstanceInformationStringFilter
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, types.InstanceInformationStringFilter{Key: aws.String(pairs[i]), Values: strings.Split(pairs[i+1], ",")})
		}
		return list
	}
	for name, c := range map[string]struct {
		filters []types.InstanceInformationStringFilter
		want    int
		code    string
	}{
		"none":          {nil, 12, ""},
		"ids":           {filter("InstanceIds", pc01+","+pc02), 2, ""},
		"activation":    {filter("ActivationIds", "act"), 10, ""},
		"kind":          {filter("ResourceType", "EC2Instance"), 2, ""},
		"tag":           {filter("tag:Env", "stg,prod"), 10, ""},
		"tag and state": {filter("tag:Env", "stg", "PingStatus", "Online"), 0, "InvalidInstanceInformationFilterValue"},
		"nonsense":      {filter("Nonsense", "x"), 0, "InvalidFilterKey"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			pages := ssm.NewDescribeInstanceInformationPaginator(w.ssm(admin), &ssm.DescribeInstanceInformationInput{Filters: c.filters, MaxResults: aws.Int32(5)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx(t))
				wantCode(t, err, c.code)
				if err != nil {
					return
				}
				n += len(page.InstanceInformationList)
			}
			if n != c.want {
				t.Fatalf("%d nodes pass, want %d", n, c.want)
			}
		})
	}
	_, err := w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{MaxResults: aws.Int32(4)})
	wantCode(t, err, "ValidationException")
}

func TestDocumentIsCreatedUsedAndDeleted(t *testing.T) {
	w := newWorld(t)
	c := w.ssm(admin)
	const content = `{"schemaVersion":"1.0","description":"d","sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"20"}}`
	create := func(name, content string, kind types.DocumentType) error {
		_, err := c.CreateDocument(ctx(t), &ssm.CreateDocumentInput{Name: aws.String(name), Content: aws.String(content), DocumentType: kind})
		return err
	}
	wantCode(t, create("audited", content, types.DocumentTypeSession), "")
	wantCode(t, create("audited", content, types.DocumentTypeSession), "DocumentAlreadyExists")
	wantCode(t, create("aws-mine", content, types.DocumentTypeSession), "ValidationException")
	wantCode(t, create("x y", content, types.DocumentTypeSession), "ValidationException")
	wantCode(t, create("broken", "{", types.DocumentTypeSession), "InvalidDocumentContent")
	wantCode(t, create("old", `{"schemaVersion":"2.2"}`, types.DocumentTypeSession), "InvalidDocumentSchemaVersion")
	wantCode(t, create("long", `"`+strings.Repeat("x", 64<<10)+`"`, types.DocumentTypeSession), "MaxDocumentSizeExceeded")
	wantCode(t, create("command", `{"schemaVersion":"2.2"}`, types.DocumentTypeCommand), "")
	got := must(c.GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited")}))(t)
	if *got.Content != content || got.DocumentType != types.DocumentTypeSession || *got.DocumentVersion != "1" {
		t.Fatalf("the document is %+v", got)
	}
	described := must(c.DescribeDocument(ctx(t), &ssm.DescribeDocumentInput{Name: aws.String("arn:aws:ssm:" + region + ":" + account + ":document/audited")}))(t)
	if *described.Document.Owner != account || described.Document.Status != types.DocumentStatusActive {
		t.Fatalf("the document is described as %+v", described.Document)
	}
	_, err := w.open(admin, pc01, "audited")
	wantCode(t, err, "")
	_, err = w.open(admin, pc01, "command")
	wantCode(t, err, "InvalidDocument")
	must(c.DeleteDocument(ctx(t), &ssm.DeleteDocumentInput{Name: aws.String("audited")}))(t)
	_, err = w.open(admin, pc01, "audited")
	wantCode(t, err, "InvalidDocument")
	_, err = c.GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited")})
	wantCode(t, err, "InvalidDocument")
}

func TestOwnerTagLetsARoleEndItsOwnSessionsOnly(t *testing.T) {
	w := newWorld(t)
	account := w.Account(account)
	err := account.IAM.AddRole(fixtures.Role{
		Name: "ops", Trust: []byte(trustEC2),
		Sessions: []fixtures.RoleSession{
			{Name: "bob", AccessKeys: []fixtures.AccessKey{{ID: "ASIABOB0000000000000", Secret: "s", SessionToken: "t"}}},
			{Name: "bob-smith", AccessKeys: []fixtures.AccessKey{{ID: "ASIABOBSMITH00000000", Secret: "s", SessionToken: "t"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := w.newPolicy("owner", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*"},
		{"Effect":"Allow","Action":"ssm:TerminateSession","Resource":"arn:aws:ssm:*:*:session/*","Condition":{"StringEquals":{"ssm:resourceTag/aws:ssmmessages:session-id":"${aws:userid}"}}}]}`)
	must(w.iam(admin).AttachRolePolicy(ctx(t), &iam.AttachRolePolicyInput{RoleName: aws.String("ops"), PolicyArn: aws.String(arn)}))(t)
	bob := aws.Credentials{AccessKeyID: "ASIABOB0000000000000", SecretAccessKey: "s", SessionToken: "t"}
	smith := aws.Credentials{AccessKeyID: "ASIABOBSMITH00000000", SecretAccessKey: "s", SessionToken: "t"}
	id := must(w.open(smith, pc01))(t)
	_, err = w.ssm(bob).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)})
	wantCode(t, err, "AccessDeniedException")
	must(w.ssm(smith).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)}))(t)
}
