package awsemulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	emussm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

const neighbour = "111122223333"

// idle is the content of a document with this idle timeout.
func idle(minutes string) string {
	return `{"schemaVersion":"1.0","description":"d","sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"` + minutes + `"}}`
}

func (w *world) createDocument(name, content string) error {
	_, err := w.ssm(admin).CreateDocument(ctx(w.t), &ssm.CreateDocumentInput{
		Name: aws.String(name), Content: aws.String(content), DocumentType: types.DocumentTypeSession,
	})
	return err
}

// updateDocument adds a version to the latest.
func (w *world) updateDocument(name, content, version string) error {
	in := &ssm.UpdateDocumentInput{Name: aws.String(name), Content: aws.String(content), DocumentVersion: aws.String("$LATEST")}
	if version != "" {
		in.VersionName = aws.String(version)
	}
	_, err := w.ssm(admin).UpdateDocument(ctx(w.t), in)
	return err
}

func (w *world) describeDocument(name, version string) *types.DocumentDescription {
	w.t.Helper()
	in := &ssm.DescribeDocumentInput{Name: aws.String(name)}
	if version != "" {
		in.DocumentVersion = aws.String(version)
	}
	return must(w.ssm(admin).DescribeDocument(ctx(w.t), in))(w.t).Document
}

func (w *world) setDefault(name, version string) error {
	_, err := w.ssm(admin).UpdateDocumentDefaultVersion(ctx(w.t), &ssm.UpdateDocumentDefaultVersionInput{
		Name: aws.String(name), DocumentVersion: aws.String(version),
	})
	return err
}

func (w *world) deleteDocument(name, version string) error {
	in := &ssm.DeleteDocumentInput{Name: aws.String(name)}
	if version != "" {
		in.DocumentVersion = aws.String(version)
	}
	_, err := w.ssm(admin).DeleteDocument(ctx(w.t), in)
	return err
}

func TestUpdateLeavesTheDefaultVersionWhereItIs(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.createDocument("audited", idle("10")), "")
	wantCode(t, w.updateDocument("audited", idle("10"), ""), "DuplicateDocumentContent")
	wantCode(t, w.updateDocument("audited", idle("20"), "two"), "")
	wantCode(t, w.updateDocument("audited", idle("30"), "two"), "DuplicateDocumentVersionName")
	if d := w.describeDocument("audited", ""); *d.DocumentVersion != "1" || *d.DefaultVersion != "1" || *d.LatestVersion != "2" || *d.Description != "d" {
		t.Fatalf("the document is %+v", d)
	}
	wantCode(t, w.setDefault("audited", "2"), "")
	wantCode(t, w.setDefault("audited", "3"), "InvalidDocumentVersion")
	wantCode(t, w.setDefault("audited", "$LATEST"), "ValidationException")
	got := must(w.ssm(admin).GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited")}))(t)
	if *got.Content != idle("20") || *got.VersionName != "two" {
		t.Fatalf("the default version is %+v", got)
	}
	got = must(w.ssm(admin).GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited"), DocumentVersion: aws.String("1")}))(t)
	if *got.Content != idle("10") {
		t.Fatalf("the first version is %+v", got)
	}
	// What held before is a change again.
	wantCode(t, w.updateDocument("audited", idle("10"), ""), "")
	_, err := w.ssm(admin).UpdateDocument(ctx(t), &ssm.UpdateDocumentInput{Name: aws.String("audited"), Content: aws.String(idle("40")), DocumentVersion: aws.String("2")})
	wantCode(t, err, "InvalidDocumentVersion")
	must(w.ssm(admin).UpdateDocument(ctx(t), &ssm.UpdateDocumentInput{Name: aws.String("audited"), Content: aws.String(idle("40")), DocumentVersion: aws.String("3")}))(t)
	wantCode(t, w.updateDocument("nobody", idle("1"), ""), "InvalidDocument")
}

func TestVersionsAreListedAndDeletedOneByOne(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.createDocument("audited", idle("1")), "")
	for i := 2; i <= 5; i++ {
		wantCode(t, w.updateDocument("audited", idle(fmt.Sprint(i)), ""), "")
	}
	wantCode(t, w.deleteDocument("audited", "1"), "InvalidDocumentOperation")
	wantCode(t, w.setDefault("audited", "3"), "")
	wantCode(t, w.deleteDocument("audited", "1"), "")
	wantCode(t, w.deleteDocument("audited", "1"), "InvalidDocumentVersion")
	wantCode(t, w.deleteDocument("audited", "$LATEST"), "")
	// A number is not given twice.
	wantCode(t, w.updateDocument("audited", idle("7"), ""), "")
	var versions []string
	pages := ssm.NewListDocumentVersionsPaginator(w.ssm(admin), &ssm.ListDocumentVersionsInput{Name: aws.String("audited"), MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, v := range must(pages.NextPage(ctx(t)))(t).DocumentVersions {
			versions = append(versions, fmt.Sprint(*v.DocumentVersion, v.IsDefaultVersion))
		}
	}
	if got := strings.Join(versions, " "); got != "6false 4false 3true 2false" {
		t.Fatalf("the versions are %s", got)
	}
	w.Account(account).Region(region).SSM.SetLimits(emussm.Limits{DocumentVersions: 4})
	wantCode(t, w.updateDocument("audited", idle("8"), ""), "DocumentVersionLimitExceeded")
	wantCode(t, w.deleteDocument("audited", "2"), "")
	wantCode(t, w.updateDocument("audited", idle("8"), ""), "")
}

func TestDocumentTakesItsTimeAndMayFail(t *testing.T) {
	w := newWorld(t)
	systems := w.Account(account).Region(region).SSM
	status := func(version string) string {
		d := w.describeDocument("audited", version)
		return string(d.Status) + " " + aws.ToString(d.StatusInformation)
	}
	systems.NextDocument(emussm.Outcome{Takes: 30 * time.Second})
	wantCode(t, w.createDocument("audited", idle("1")), "")
	if got := status(""); got != "Creating " {
		t.Fatalf("the document is %s", got)
	}
	_, err := w.open(admin, pc01, "audited")
	wantCode(t, err, "InvalidDocument")
	wantCode(t, w.updateDocument("audited", idle("2"), ""), "InvalidDocumentOperation")
	w.Advance(30 * time.Second)
	if got := status(""); got != "Active " {
		t.Fatalf("the document is %s", got)
	}
	systems.NextDocument(emussm.Outcome{Takes: 30 * time.Second, Fails: "no more room"})
	wantCode(t, w.updateDocument("audited", idle("2"), ""), "")
	if got := status("$LATEST"); got != "Updating " {
		t.Fatalf("the version is %s", got)
	}
	wantCode(t, w.setDefault("audited", "2"), "InvalidDocumentVersion")
	w.Advance(30 * time.Second)
	if got := status("$LATEST"); got != "Failed no more room" {
		t.Fatalf("the version is %s", got)
	}
	wantCode(t, w.setDefault("audited", "2"), "InvalidDocumentVersion")
	must(w.open(admin, pc01, "audited"))(t)
	w.tell("POST", strings.Replace(nodes, "/nodes", "/documents/next", 1), `{"takes":"1m","deletes":true}`)
	wantCode(t, w.deleteDocument("audited", ""), "")
	if got := status(""); got != "Deleting " {
		t.Fatalf("the document is %s", got)
	}
	wantCode(t, w.createDocument("audited", idle("1")), "DocumentAlreadyExists")
	w.Advance(time.Minute)
	wantCode(t, w.deleteDocument("audited", ""), "InvalidDocument")
	wantCode(t, w.createDocument("audited", idle("1")), "")
}

func TestContentOfSessionDocumentsIsChecked(t *testing.T) {
	w := newWorld(t)
	const head = `{"schemaVersion":"1.0","sessionType":`
	for name, c := range map[string]struct{ content, code string }{
		"all inputs": {head + `"Standard_Stream","inputs":{"s3BucketName":"b","s3KeyPrefix":"p","s3EncryptionEnabled":true,"cloudWatchLogGroupName":"g",
			"cloudWatchEncryptionEnabled":false,"cloudWatchStreamingEnabled":true,"kmsKeyId":"","runAsEnabled":true,"runAsDefaultUser":"u",
			"idleSessionTimeout":"60","maxSessionDuration":"1440","shellProfile":{"windows":"date","linux":"date"}}}`, ""},
		"parameters":              {head + `"Standard_Stream","parameters":{"p":{"type":"String","default":"d","description":"x"}}}`, ""},
		"a list":                  {head + `"Standard_Stream","parameters":{"p":{"type":"StringList","default":["a","b"],"minItems":1,"maxItems":"3","displayType":"textarea"}}}`, ""},
		"a map":                   {head + `"Standard_Stream","parameters":{"p":{"type":"StringMap","default":{"a":"b","c":["d"]}}}}`, ""},
		"a text for a list":       {head + `"Standard_Stream","parameters":{"p":{"type":"StringList","default":"a"}}}`, "InvalidDocumentContent"},
		"a list for a text":       {head + `"Standard_Stream","parameters":{"p":{"type":"String","default":["a"]}}}`, "InvalidDocumentContent"},
		"a list for a map":        {head + `"Standard_Stream","parameters":{"p":{"type":"StringMap","default":["a"]}}}`, "InvalidDocumentContent"},
		"no type of parameter":    {head + `"Standard_Stream","parameters":{"p":{"default":"a"}}}`, "InvalidDocumentContent"},
		"an unknown display":      {head + `"Standard_Stream","parameters":{"p":{"type":"String","displayType":"checkbox"}}}`, "InvalidDocumentContent"},
		"commands":                {head + `"InteractiveCommands","properties":{"linux":{"commands":"tail -f x","runAsElevated":true}}}`, ""},
		"port":                    {head + `"Port","properties":{"portNumber":"80","localPortNumber":"8080","type":"LocalPortForwarding","host":"h"}}`, ""},
		"idle 0":                  {idle("0"), "InvalidDocumentContent"},
		"idle 61":                 {idle("61"), "InvalidDocumentContent"},
		"idle 05":                 {idle("05"), "InvalidDocumentContent"},
		"idle as a number":        {head + `"Standard_Stream","inputs":{"idleSessionTimeout":20}}`, "InvalidDocumentContent"},
		"duration 1441":           {head + `"Standard_Stream","inputs":{"maxSessionDuration":"1441"}}`, "InvalidDocumentContent"},
		"unknown session type":    {head + `"Stream"}`, "InvalidDocumentContent"},
		"no session type":         {`{"schemaVersion":"1.0"}`, "InvalidDocumentContent"},
		"unknown field":           {head + `"Standard_Stream","outputs":{}}`, "InvalidDocumentContent"},
		"unknown input":           {head + `"Standard_Stream","inputs":{"s3Bucket":"b"}}`, "InvalidDocumentContent"},
		"flag as a string":        {head + `"Standard_Stream","inputs":{"runAsEnabled":"true"}}`, "InvalidDocumentContent"},
		"properties of another":   {head + `"Standard_Stream","properties":{"portNumber":"80"}}`, "InvalidDocumentContent"},
		"inputs of another":       {head + `"Port","inputs":{"s3BucketName":"b","runAsEnabled":true},"properties":{"portNumber":"80"}}`, ""},
		"wrong inputs of another": {head + `"Port","inputs":{"s3Bucket":"b"},"properties":{"portNumber":"80"}}`, "InvalidDocumentContent"},
		"lengths":                 {head + `"Port","parameters":{"p":{"type":"String","minChars":1,"maxChars":"32","interpolationType":"ENV_VAR"}},"properties":{"portNumber":"80"}}`, ""},
		"a length that is none":   {head + `"Port","parameters":{"p":{"type":"String","maxChars":-1}},"properties":{"portNumber":"80"}}`, "InvalidDocumentContent"},
		"commands without any":    {head + `"NonInteractiveCommands"}`, "InvalidDocumentContent"},
		"another schema version":  {`{"schemaVersion":"2.2","sessionType":"Standard_Stream"}`, "InvalidDocumentSchemaVersion"},
		"schema version a number": {`{"schemaVersion":1.0,"sessionType":"Standard_Stream"}`, "InvalidDocumentSchemaVersion"},
		"no document":             {`[]`, "InvalidDocumentContent"},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, w.createDocument(strings.ReplaceAll(name, " ", "-")+"-document", c.content), c.code)
		})
	}
	wantCode(t, w.createDocument("SSM-SessionManagerRunShell", idle("20")), "")
	for _, reserved := range []string{"AWSEC2-x", "amazon-x", "Amzn.x"} {
		wantCode(t, w.createDocument(reserved, idle("20")), "ValidationException")
	}
}

func TestDocumentsAreListedByFilters(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		must(w.ssm(admin).CreateDocument(ctx(t), &ssm.CreateDocumentInput{
			Name: aws.String(fmt.Sprintf("team-%d", i)), Content: aws.String(idle("10")), DocumentType: types.DocumentTypeSession, Tags: ssmTags("half", fmt.Sprint(i/2)),
		}))(t)
	}
	must(w.ssm(admin).CreateDocument(ctx(t), &ssm.CreateDocumentInput{Name: aws.String("command"), Content: aws.String(`{"schemaVersion":"2.2"}`)}))(t)
	list := func(pairs ...string) (n int) {
		in := &ssm.ListDocumentsInput{MaxResults: aws.Int32(2)}
		for i := 0; i < len(pairs); i += 2 {
			in.Filters = append(in.Filters, types.DocumentKeyValuesFilter{Key: aws.String(pairs[i]), Values: strings.Split(pairs[i+1], ",")})
		}
		pages := ssm.NewListDocumentsPaginator(w.ssm(admin), in)
		for pages.HasMorePages() {
			n += len(must(pages.NextPage(ctx(t)))(t).DocumentIdentifiers)
		}
		return n
	}
	for want, pairs := range map[int][]string{
		5: {"Owner", "Self"}, 4: {"Owner", "Self", "DocumentType", "Session"}, 2: {"tag:half", "1"}, 1: {"Name", "team-1,team-9"}, 6: {"Owner", "Amazon"}, 11: nil,
	} {
		if got := list(pairs...); got != want {
			t.Errorf("%d documents pass %v, want %d", got, pairs, want)
		}
	}
	_, err := w.ssm(admin).ListDocuments(ctx(t), &ssm.ListDocumentsInput{Filters: []types.DocumentKeyValuesFilter{{Key: aws.String("Nonsense"), Values: []string{"x"}}}})
	wantCode(t, err, "InvalidFilterKey")
}

func TestReadsOfDocumentsLag(t *testing.T) {
	w := newWorld(t)
	w.SetConsistency(awsemulator.Consistency{Documents: 20 * time.Second})
	wantCode(t, w.createDocument("audited", idle("10")), "")
	wantCode(t, w.createDocument("audited", idle("10")), "DocumentAlreadyExists")
	get := func() error {
		_, err := w.ssm(admin).GetDocument(ctx(t), &ssm.GetDocumentInput{Name: aws.String("audited")})
		return err
	}
	wantCode(t, get(), "InvalidDocument")
	w.Advance(20 * time.Second)
	wantCode(t, get(), "")
}

func TestADocumentIsConvertedToTheFormatAskedFor(t *testing.T) {
	w := newWorld(t)
	const yaml = "schemaVersion: \"1.0\"\nsessionType: Standard_Stream\ndescription: y\n"
	_, err := w.ssm(admin).CreateDocument(t.Context(), &ssm.CreateDocumentInput{
		Name: aws.String("in-yaml"), Content: aws.String(yaml), DocumentType: types.DocumentTypeSession, DocumentFormat: types.DocumentFormatYaml,
	})
	wantCode(t, err, "")
	for format, want := range map[types.DocumentFormat]string{
		"":                       `"description": "y"`, // JSON is the default.
		types.DocumentFormatJson: `"description": "y"`,
		types.DocumentFormatYaml: "description: y\n",
	} {
		out, err := w.ssm(admin).GetDocument(t.Context(), &ssm.GetDocumentInput{Name: aws.String("in-yaml"), DocumentFormat: format})
		wantCode(t, err, "")
		if !strings.Contains(aws.ToString(out.Content), want) || format != "" && out.DocumentFormat != format {
			t.Errorf("as %q: %s %s", format, out.DocumentFormat, aws.ToString(out.Content))
		}
	}
}
