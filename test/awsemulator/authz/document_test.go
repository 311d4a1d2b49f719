package authz_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// statement is one that parses; tests replace a part of it.
const statement = `{"Sid":"A1","Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}`

// with is an allowing statement with this Condition.
func withCondition(condition string) string {
	return policy(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}`)
}

// withResource is an allowing statement on this resource, given as JSON.
func withResource(resource string) string {
	return policy(`{"Effect":"Allow","Action":"*","Resource":` + resource + `}`)
}

// withAction is an allowing statement of this action, given as JSON.
func withAction(action string) string {
	return policy(`{"Effect":"Allow","Resource":"*","Action":` + action + `}`)
}

func TestParseTakesWhatIAMTakes(t *testing.T) {
	for name, raw := range map[string]string{
		"single statement":               `{"Version":"2012-10-17","Statement":` + statement + `}`,
		"list of statements":             policy(statement),
		"old version":                    `{"Version":"2008-10-17","Statement":[` + statement + `]}`,
		"no version":                     `{"Statement":[` + statement + `]}`,
		"id":                             `{"Id":"my policy","Version":"2012-10-17","Statement":[` + statement + `]}`,
		"any order":                      `{"Statement":[{"Resource":"*","Effect":"Deny","NotAction":["iam:*"]}],"Version":"2012-10-17"}`,
		"white space":                    "\t{\r\n \"Version\" : \"2012-10-17\", \"Statement\" : [ " + statement + " ] }\n",
		"Latin-1 letters":                withCondition(`{"StringEquals":{"aws:ResourceTag/Größe":"groß"}}`),
		"escaped letters":                withCondition(`{"StringEquals":{"aws:ResourceTag/\u6771":"\ud83d\ude00"}}`),
		"empty sids":                     policy(`{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}`),
		"every action":                   withAction(`"*"`),
		"wildcards in an action":         withAction(`["ssm:*","ec2:Describe*","iam:?et*"]`),
		"service with a hyphen":          withAction(`"session-manager:x"`),
		"any letter case in an action":   withAction(`"SSM:startsession"`),
		"NotResource":                    policy(`{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::bucket/*"}`),
		"any partition":                  withResource(`"arn:*:ec2:*:*:instance/*"`),
		"other partitions":               withResource(`["arn:aws-cn:ssm:cn-north-1:123456789012:document/d","arn:aws-us-gov:ssm:us-gov-west-1:123456789012:document/d"]`),
		"empty account":                  withResource(`"arn:aws:ssm:ap-northeast-1::document/AWS-StartSSHSession"`),
		"wildcards in region, account":   withResource(`"arn:aws:ssm:*-?:1234*:session/*"`),
		"short ARN":                      withResource(`"arn:aws:ec2:*"`),
		"short ARN with region":          withResource(`"arn:aws:ec2:eu-west-1:*"`),
		"variable in the resource":       withResource(`"arn:aws:ssm:*:123456789012:session/${aws:username}-*"`),
		"variable with default":          withResource(`"arn:aws:s3:::b/${aws:PrincipalTag/team, 'all of us'}/*"`),
		"literal braces of old":          `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${no:such}"}}`,
		"iam resource":                   withResource(`["arn:aws:iam::123456789012:policy/ssm-access/*","arn:aws:iam::*:*","arn:aws:iam::aws:policy/X"]`),
		"s3 access point with region":    withResource(`"arn:aws:s3:eu-west-1:123456789012:accesspoint/a"`),
		"NotResource and NotAction":      policy(`{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::b"}`),
		"empty condition":                withCondition(`{}`),
		"single condition value":         withCondition(`{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`),
		"set prefix and suffix":          withCondition(`{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a"]}}`),
		"slash in a tag key":             withCondition(`{"StringEquals":{"aws:ResourceTag/ssm-access.dev/activation":"u"}}`),
		"same key in two operators":      withCondition(`{"StringEquals":{"aws:username":"a"},"StringLike":{"aws:username":"a*"}}`),
		"encryption context":             withCondition(`{"StringEquals":{"kms:EncryptionContext:aws:ssm:SessionId":"x"}}`),
		"session document access":        withCondition(`{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}`),
		"colon in a variable's tag key":  withCondition(`{"StringEquals":{"aws:username":"${aws:PrincipalTag/a:b}"}}`),
		"comma that is no default":       withCondition(`{"StringEquals":{"aws:username":"a, 'b'"}}`),
		"string operator on other types": withCondition(`{"StringLike":{"aws:SourceIp":"203.0.113.*","aws:CurrentTime":"2026-*"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := authz.Parse([]byte(raw)); err != nil {
				t.Errorf("parse %s: %v", raw, err)
			}
		})
	}
}

func TestParseRejectsWithAReason(t *testing.T) {
	for name, c := range map[string]struct{ raw, reason string }{
		"nothing":                     {``, "not valid JSON"},
		"no JSON":                     {`{`, "not valid JSON"},
		"two values":                  {policy(statement) + `{}`, "not valid JSON"},
		"list":                        {`[]`, "JSON object"},
		"null":                        {`null`, "JSON object"},
		"letters above Latin-1":       {withCondition(`{"StringEquals":{"aws:username":"東"}}`), `\u6771`},
		"control characters":          {policy(statement) + "\v", "U+000B"},
		"not UTF-8":                   {policy(statement) + "\xff", "UTF-8"},
		"byte order mark":             {"\ufeff" + policy(statement), "U+FEFF"},
		"half a pair":                 {withCondition(`{"StringEquals":{"aws:username":"\ud83d"}}`), "surrogate"},
		"other half of a pair":        {withCondition(`{"StringEquals":{"aws:username":"\\\ude00"}}`), "surrogate"},
		"two first halves":            {withCondition(`{"StringEquals":{"aws:username":"\ud83d\ud83d"}}`), "surrogate"},
		"too deep":                    {strings.Repeat("[", 100) + strings.Repeat("]", 100), "deeply"},
		"duplicate element":           {`{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`, `"Version" is given twice`},
		"duplicate by escape":         {`{"Id":"a","\u0049d":"b","Statement":[]}`, `"Id" is given twice`},
		"duplicate in a statement":    {policy(`{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}`), `"Effect" is given twice`},
		"unknown element":             {`{"Version":"2012-10-17","Statements":[]}`, "Statements: the element is not known"},
		"element in lower case":       {`{"version":"2012-10-17","Statement":[` + statement + `]}`, "version: the element is not known"},
		"unknown version":             {`{"Version":"2020-01-01","Statement":[` + statement + `]}`, "Version: the version is"},
		"version as number":           {`{"Version":2012,"Statement":[` + statement + `]}`, "Version: the version is"},
		"id as number":                {`{"Id":1,"Statement":[` + statement + `]}`, "Id: the id is a string"},
		"no statement":                {`{"Version":"2012-10-17"}`, "Statement is missing"},
		"empty list of statements":    {policy(``), "at least one statement"},
		"statement as string":         {`{"Statement":"x"}`, "Statement[0]: a statement is an object"},
		"statement null":              {`{"Statement":null}`, "Statement[0]: a statement is an object"},
		"unknown in statement":        {policy(`{"Effect":"Allow","Actions":"*","Resource":"*"}`), "Statement[0].Actions: the element is not known"},
		"bad sid":                     {policy(`{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}`), "Statement[0].Sid"},
		"sid as number":               {policy(`{"Sid":1,"Effect":"Allow","Action":"*","Resource":"*"}`), "Statement[0].Sid"},
		"sid twice":                   {policy(statement + "," + statement), `Statement[1].Sid: the statement id "A1" is given twice`},
		"no effect":                   {policy(`{"Action":"*","Resource":"*"}`), "Effect is missing"},
		"effect in lower case":        {policy(`{"Effect":"allow","Action":"*","Resource":"*"}`), "Allow or Deny"},
		"effect as list":              {policy(`{"Effect":["Allow"],"Action":"*","Resource":"*"}`), "Allow or Deny"},
		"no action":                   {policy(`{"Effect":"Allow","Resource":"*"}`), "either Action or NotAction"},
		"both actions":                {policy(`{"Effect":"Allow","Action":"*","NotAction":"iam:*","Resource":"*"}`), "either Action or NotAction"},
		"no resource":                 {policy(`{"Effect":"Allow","Action":"*"}`), "either Resource or NotResource"},
		"both resources":              {policy(`{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}`), "either Resource or NotResource"},
		"principal":                   {policy(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`), "does not name principals"},
		"not principal":               {policy(`{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":"*"}`), "does not name principals"},
		"empty actions":               {withAction(`[]`), "Action: the list is empty"},
		"action null":                 {withAction(`[null]`), "string or a list of strings"},
		"action as number":            {withAction(`1`), "string or a list of strings"},
		"nested actions":              {withAction(`[["ssm:*"]]`), "string or a list of strings"},
		"empty action":                {withAction(`""`), "starts with the service"},
		"action without service":      {withAction(`"StartSession"`), "starts with the service"},
		"action without name":         {withAction(`"ssm:"`), "is not an action"},
		"two colons":                  {withAction(`"ssm:Start:Session"`), "only one colon"},
		"wildcard in the service":     {withAction(`"s*:StartSession"`), "is not an action"},
		"two stars":                   {withAction(`"**"`), "starts with the service"},
		"space in an action":          {withAction(`"ssm:Start Session"`), "is not an action"},
		"variable in an action":       {withAction(`"ssm:${aws:username}"`), "only one colon"},
		"empty resources":             {withResource(`[]`), "Resource: the list is empty"},
		"empty resource":              {withResource(`""`), `is an ARN or "*"`},
		"resource that is no ARN":     {withResource(`"i-051cac51072605f39"`), `is an ARN or "*"`},
		"resource in capitals":        {withResource(`"ARN:aws:s3:::b"`), `is an ARN or "*"`},
		"arn alone":                   {withResource(`"arn"`), `is an ARN or "*"`},
		"unknown partition":           {withResource(`"arn:azure:ec2:r:123456789012:instance/i"`), `partition "azure"`},
		"partition pattern":           {withResource(`"arn:aws*:ec2:eu-west-1:123456789012:instance/i"`), `partition "aws*"`},
		"no service":                  {withResource(`"arn:aws::eu-west-1:123456789012:instance/i"`), "service must be written out"},
		"wildcard service":            {withResource(`"arn:aws:*:eu-west-1:123456789012:instance/i"`), "service must be written out"},
		"star for all after arn":      {withResource(`"arn:*"`), "service must be written out"},
		"service in capitals":         {withResource(`"arn:aws:EC2:eu-west-1:123456789012:instance/i"`), "service must be written out"},
		"ARN cut after the service":   {withResource(`"arn:aws:ec2"`), "too few parts"},
		"short ARN without star":      {withResource(`"arn:aws:ec2:eu-west-1:123456789012"`), "too few parts"},
		"empty resource part":         {withResource(`"arn:aws:ec2:eu-west-1:123456789012:"`), "resource is empty"},
		"account of 11 digits":        {withResource(`"arn:aws:ec2:eu-west-1:12345678901:instance/i"`), `account "12345678901"`},
		"region in capitals":          {withResource(`"arn:aws:ec2:EU-WEST-1:123456789012:instance/i"`), `region "EU-WEST-1"`},
		"variable as account":         {withResource(`"arn:aws:ssm:*:${aws:PrincipalAccount}:session/x"`), "after the ARN's fifth colon"},
		"iam with region":             {withResource(`"arn:aws:iam:eu-west-1:123456789012:user/x"`), "has no region"},
		"s3 with region":              {withResource(`"arn:aws:s3:eu-west-1::bucket"`), "has no region"},
		"iam without type":            {withResource(`"arn:aws:iam::123456789012:bob"`), "starts its resource with"},
		"unknown variable":            {withResource(`"arn:aws:s3:::b/${aws:user}"`), "${aws:user} is not known"},
		"empty variable":              {withResource(`"arn:aws:s3:::b/${}"`), "${} is not known"},
		"space in a variable":         {withResource(`"arn:aws:s3:::b/${ aws:username }"`), "is not known"},
		"open variable":               {withResource(`"arn:aws:s3:::b/${aws:username"`), "no closing brace"},
		"multivalued variable":        {withResource(`"arn:aws:s3:::b/${aws:TagKeys}"`), "single-valued"},
		"default without quotes":      {withResource(`"arn:aws:s3:::b/${aws:username, x}"`), "default value out of form"},
		"default without space":       {withResource(`"arn:aws:s3:::b/${aws:username,'x'}"`), "default value out of form"},
		"open default":                {withResource(`"arn:aws:s3:::b/${aws:username, 'x}"`), "default value out of form"},
		"condition as string":         {withCondition(`"x"`), "object of condition operators"},
		"unknown operator":            {withCondition(`{"StringMatches":{"aws:username":"a"}}`), "Condition.StringMatches: the condition operator is not known"},
		"unknown operator, empty":     {withCondition(`{"StringMatches":{}}`), "operator is not known"},
		"operator in lower case":      {withCondition(`{"stringequals":{"aws:username":"a"}}`), "operator is not known"},
		"suffix twice":                {withCondition(`{"BoolIfExistsIfExists":{"aws:SecureTransport":"true"}}`), "operator is not known"},
		"unknown prefix":              {withCondition(`{"ForEachValue:StringEquals":{"aws:TagKeys":"a"}}`), "operator is not known"},
		"NullIfExists":                {withCondition(`{"NullIfExists":{"aws:username":"true"}}`), "takes neither IfExists"},
		"Null with set prefix":        {withCondition(`{"ForAllValues:Null":{"aws:TagKeys":"true"}}`), "takes neither IfExists"},
		"keys as list":                {withCondition(`{"StringEquals":["aws:username"]}`), "object of condition keys"},
		"unknown key":                 {withCondition(`{"StringEquals":{"aws:user":"a"}}`), "StringEquals.aws:user: the condition key is not known"},
		"unknown service key":         {withCondition(`{"StringEquals":{"ssm:Nonsense":"a"}}`), "key is not known"},
		"key without service":         {withCondition(`{"StringEquals":{"username":"a"}}`), "key is not known"},
		"tag key missing":             {withCondition(`{"StringEquals":{"aws:ResourceTag/":"a"}}`), "key is not known"},
		"placeholder as tag key":      {withCondition(`{"StringEquals":{"aws:ResourceTag/${TagKey}":"a"}}`), "key is not known"},
		"key twice":                   {withCondition(`{"StringEquals":{"aws:username":"a","aws:username":"b"}}`), "is given twice"},
		"key twice in other case":     {withCondition(`{"StringEquals":{"aws:username":"a","AWS:UserName":"b"}}`), "is given twice"},
		"tag key twice in other case": {withCondition(`{"StringEquals":{"aws:ResourceTag/Env":"a","aws:ResourceTag/env":"b"}}`), "is given twice"},
		"no value":                    {withCondition(`{"StringNotEquals":{"aws:username":[]}}`), "list of values is empty"},
		"null value":                  {withCondition(`{"StringEquals":{"aws:username":null}}`), "a string, a number, a boolean"},
		"object value":                {withCondition(`{"StringEquals":{"aws:username":{}}}`), "a string, a number, a boolean"},
		"no date":                     {withCondition(`{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), `"tomorrow" is not a date`},
		"date without zone":           {withCondition(`{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00"}}`), "is not a date"},
		"31 February":                 {withCondition(`{"DateLessThan":{"aws:CurrentTime":"2026-02-31"}}`), "is not a date"},
		"comma in a date":             {withCondition(`{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00,5Z"}}`), "is not a date"},
		"variable in a date":          {withCondition(`{"DateLessThan":{"aws:CurrentTime":"${aws:TokenIssueTime}"}}`), "is not a date"},
		"no number":                   {withCondition(`{"NumericLessThan":{"aws:MultiFactorAuthAge":"1h"}}`), `"1h" is not a number`},
		"exponent":                    {withCondition(`{"NumericLessThan":{"aws:MultiFactorAuthAge":1e3}}`), `"1e3" is not a number`},
		"no boolean":                  {withCondition(`{"Bool":{"aws:SecureTransport":"yes"}}`), `"yes" is not a boolean`},
		"null of what":                {withCondition(`{"Null":{"aws:username":"bob"}}`), `"bob" is not a boolean`},
		"no address":                  {withCondition(`{"IpAddress":{"aws:SourceIp":"203.0.113"}}`), "is not an IP address"},
		"prefix too long":             {withCondition(`{"IpAddress":{"aws:SourceIp":"203.0.113.0/33"}}`), "is not an IP address"},
		"address with zone":           {withCondition(`{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`), "is not an IP address"},
		"mapped range":                {withCondition(`{"IpAddress":{"aws:SourceIp":"::ffff:10.0.0.0/104"}}`), "is not an IP address"},
		"address pattern":             {withCondition(`{"IpAddress":{"aws:SourceIp":"203.0.113.*"}}`), "is not an IP address"},
		"no base64":                   {withCondition(`{"BinaryEquals":{"aws:ResourceTag/a":"?"}}`), "is not base64"},
		"no ARN":                      {withCondition(`{"ArnLike":{"aws:SourceArn":"*"}}`), "is not an ARN"},
		"short ARN in a condition":    {withCondition(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*"}}`), "is not an ARN"},
		"variable in a key's value":   {withCondition(`{"StringEquals":{"aws:username":"${nope}"}}`), "${nope} is not known"},
		"date operator on an address": {withCondition(`{"DateLessThan":{"aws:SourceIp":"2026-12-01"}}`), "of type date cannot be used"},
		"address operator on a date":  {withCondition(`{"IpAddress":{"aws:CurrentTime":"10.0.0.0/8"}}`), "of type IP address cannot be used"},
		"Bool on an ARN":              {withCondition(`{"Bool":{"aws:PrincipalArn":"true"}}`), "of type boolean cannot be used"},
		"set operator left out":       {withCondition(`{"StringEquals":{"aws:TagKeys":"a"}}`), "use ForAllValues: or ForAnyValue:"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := authz.Parse([]byte(c.raw))
			if err == nil || doc != nil {
				t.Fatalf("parse %s: got a document, want an error with %q", c.raw, c.reason)
			}
			if _, ok := errors.AsType[*authz.ParseError](err); !ok {
				t.Errorf("error %v is a %T, want *ParseError", err, err)
			}
			if !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %q, want one with %q", err, c.reason)
			}
		})
	}
}

func TestParseKeepsVersionAndID(t *testing.T) {
	for raw, want := range map[string]string{
		policy(statement): authz.VersionCurrent,
		`{"Id":"i","Statement":[` + statement + `]}`:                        authz.VersionOld,
		`{"Id":"i","Version":"2008-10-17","Statement":[` + statement + `]}`: authz.VersionOld,
	} {
		doc, err := authz.Parse([]byte(raw))
		if err != nil {
			t.Fatalf("parse %s: %v", raw, err)
		}
		if doc.Version != want {
			t.Errorf("version of %s is %s, want %s", raw, doc.Version, want)
		}
		if strings.Contains(raw, `"Id"`) != (doc.ID == "i") {
			t.Errorf("id of %s is %q", raw, doc.ID)
		}
	}
}

func TestEveryKnownTagPrefixTakesAnyTagKey(t *testing.T) {
	for _, prefix := range []string{"aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag", "ec2:ResourceTag", "iam:ResourceTag", "ssm:resourceTag"} {
		raw := withCondition(fmt.Sprintf(`{"StringEquals":{"%s/a b.c:/=+-@":"x"}}`, prefix))
		if _, err := authz.Parse([]byte(raw)); err != nil {
			t.Errorf("parse %s: %v", raw, err)
		}
	}
}

func TestMinifiedSizeCountsNoWhiteSpaceBetweenTokens(t *testing.T) {
	for raw, want := range map[string]int{
		`{}`:                     2,
		"{ \t\r\n}":              2,
		`{"a": "b c"}`:           11,
		`{"a\" ": " \\" , "b":1`: len(`{"a\" ":" \\","b":1`),
		`"é"`:                    3,
		`"\u6771"`:               8,
	} {
		if got := authz.MinifiedSize([]byte(raw)); got != want {
			t.Errorf("size of %s is %d, want %d", raw, got, want)
		}
	}
}
