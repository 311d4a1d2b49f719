package authz_test

import (
	"maps"
	"testing"
)

type conditionCase struct {
	name      string
	condition string
	context   values
	holds     bool
}

func runConditions(t *testing.T, cases []conditionCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := conditionHolds(t, c.condition, c.context); got != c.holds {
				t.Errorf("condition %s with %v: holds = %v, want %v", c.condition, c.context, got, c.holds)
			}
		})
	}
}

func TestStringOperatorsCompareAsDocumented(t *testing.T) {
	user := func(v string) values { return values{"aws:username": {v}} }
	runConditions(t, []conditionCase{
		{"equal", `{"StringEquals":{"aws:username":"bob"}}`, user("bob"), true},
		{"equal is case-sensitive", `{"StringEquals":{"aws:username":"bob"}}`, user("Bob"), false},
		{"equal to the whole string only", `{"StringEquals":{"aws:username":"bob"}}`, user("bob-smith"), false},
		{"any of several", `{"StringEquals":{"aws:username":["ann","bob"]}}`, user("bob"), true},
		{"none of several", `{"StringEquals":{"aws:username":["ann","bob"]}}`, user("eve"), false},
		{"a star in StringEquals is a star", `{"StringEquals":{"aws:username":"b*"}}`, user("bob"), false},
		{"a star in StringEquals matches a star", `{"StringEquals":{"aws:username":"b*"}}`, user("b*"), true},
		{"not equal", `{"StringNotEquals":{"aws:username":"bob"}}`, user("ann"), true},
		{"not not equal", `{"StringNotEquals":{"aws:username":"bob"}}`, user("bob"), false},
		{"not equal to any of several is NOR", `{"StringNotEquals":{"aws:username":["ann","bob"]}}`, user("bob"), false},
		{"not equal to all of several", `{"StringNotEquals":{"aws:username":["ann","bob"]}}`, user("eve"), true},
		{"ignore case", `{"StringEqualsIgnoreCase":{"aws:username":"bob"}}`, user("BoB"), true},
		{"ignore case, other", `{"StringEqualsIgnoreCase":{"aws:username":"bob"}}`, user("bobby"), false},
		{"not, ignore case", `{"StringNotEqualsIgnoreCase":{"aws:username":"bob"}}`, user("BOB"), false},
		{"not, ignore case, other", `{"StringNotEqualsIgnoreCase":{"aws:username":"bob"}}`, user("ann"), true},
		{"like with a star", `{"StringLike":{"aws:username":"b*b"}}`, user("b-b"), true},
		{"a star matches nothing too", `{"StringLike":{"aws:username":"bob*"}}`, user("bob"), true},
		{"like with a question mark", `{"StringLike":{"aws:username":"b?b"}}`, user("bob"), true},
		{"a question mark is one character", `{"StringLike":{"aws:username":"b?b"}}`, user("bb"), false},
		{"like is case-sensitive", `{"StringLike":{"aws:username":"B*"}}`, user("bob"), false},
		{"like is anchored", `{"StringLike":{"aws:username":"o"}}`, user("bob"), false},
		{"like reaches over colons and slashes", `{"StringLike":{"aws:userid":"A*z"}}`, values{"aws:userid": {"AROA:x/z"}}, true},
		{"not like", `{"StringNotLike":{"aws:username":"b*"}}`, user("ann"), true},
		{"not not like", `{"StringNotLike":{"aws:username":"b*"}}`, user("bob"), false},
		{"empty string equals empty string", `{"StringEquals":{"aws:ResourceTag/a":""}}`, values{"aws:ResourceTag/a": {""}}, true},
		{"empty string is not absence", `{"StringEquals":{"aws:ResourceTag/a":""}}`, nil, false},
		{"keys ignore case", `{"StringEquals":{"AWS:UserName":"bob"}}`, user("bob"), true},
		{"tag keys ignore case", `{"StringEquals":{"aws:ResourceTag/ENV":"stg"}}`, values{"aws:resourcetag/env": {"stg"}}, true},
		{"tag values do not", `{"StringEquals":{"aws:ResourceTag/Env":"stg"}}`, values{"aws:ResourceTag/Env": {"STG"}}, false},
		{"beyond Latin-1 by escape", `{"StringEquals":{"aws:ResourceTag/Name":"\u6771\u4eac"}}`, values{"aws:ResourceTag/Name": {"東京"}}, true},
		{"a question mark is one character of any width", `{"StringLike":{"aws:ResourceTag/Name":"?\u4eac"}}`, values{"aws:ResourceTag/Name": {"東京"}}, true},
		{"a number is its spelling", `{"StringEquals":{"aws:ResourceTag/n":10}}`, values{"aws:ResourceTag/n": {"10"}}, true},
		{"a boolean is its spelling", `{"StringEquals":{"aws:SecureTransport":true}}`, values{"aws:SecureTransport": {"true"}}, true},
	})
}

func TestNumericOperatorsCompareNumbersNotText(t *testing.T) {
	age := func(v string) values { return values{"aws:MultiFactorAuthAge": {v}} }
	runConditions(t, []conditionCase{
		{"equal", `{"NumericEquals":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), true},
		{"equal in other digits", `{"NumericEquals":{"aws:MultiFactorAuthAge":"300.0"}}`, age("300"), true},
		{"equal to a JSON number", `{"NumericEquals":{"aws:MultiFactorAuthAge":300}}`, age("300"), true},
		{"not equal", `{"NumericNotEquals":{"aws:MultiFactorAuthAge":"300"}}`, age("301"), true},
		{"not not equal", `{"NumericNotEquals":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), false},
		{"less, where text would be greater", `{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, age("99"), true},
		{"not less than itself", `{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), false},
		{"less or equal", `{"NumericLessThanEquals":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), true},
		{"greater", `{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"300"}}`, age("1000"), true},
		{"not greater than itself", `{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), false},
		{"greater or equal", `{"NumericGreaterThanEquals":{"aws:MultiFactorAuthAge":"300"}}`, age("300"), true},
		{"exact beyond float64", `{"NumericEquals":{"aws:ResourceTag/n":"9007199254740993"}}`, values{"aws:ResourceTag/n": {"9007199254740992"}}, false},
		{"negative", `{"NumericLessThan":{"aws:ResourceTag/n":"0"}}`, values{"aws:ResourceTag/n": {"-0.5"}}, true},
		{"no number matches nothing", `{"NumericLessThan":{"aws:ResourceTag/n":"5"}}`, values{"aws:ResourceTag/n": {"few"}}, false},
		{"no number equals nothing", `{"NumericNotEquals":{"aws:ResourceTag/n":"5"}}`, values{"aws:ResourceTag/n": {"few"}}, true},
		{"epoch", `{"NumericGreaterThan":{"aws:EpochTime":"1700000000"}}`, values{"aws:EpochTime": {"1700000001"}}, true},
		{"any of several", `{"NumericEquals":{"aws:MultiFactorAuthAge":["1","300"]}}`, age("300"), true},
	})
}

func TestDateOperatorsCompareInstants(t *testing.T) {
	at := func(v string) values { return values{"aws:CurrentTime": {v}} }
	now := at("2026-12-01T00:00:00Z")
	runConditions(t, []conditionCase{
		{"equal across zones", `{"DateEquals":{"aws:CurrentTime":"2026-12-01T09:00:00+09:00"}}`, now, true},
		{"equal across notations", `{"DateEquals":{"aws:CurrentTime":"1796083200"}}`, now, true},
		{"epoch as JSON number", `{"DateEquals":{"aws:CurrentTime":1796083200}}`, now, true},
		{"a date is its midnight in UTC", `{"DateEquals":{"aws:CurrentTime":"2026-12-01"}}`, now, true},
		{"a month is its first day", `{"DateEquals":{"aws:CurrentTime":"2026-12"}}`, now, true},
		{"without seconds", `{"DateEquals":{"aws:CurrentTime":"2026-12-01T00:00Z"}}`, now, true},
		{"fractions count", `{"DateEquals":{"aws:CurrentTime":"2026-12-01T00:00:00.001Z"}}`, now, false},
		{"not equal", `{"DateNotEquals":{"aws:CurrentTime":"2026-12-01T00:00:01Z"}}`, now, true},
		{"not not equal", `{"DateNotEquals":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, now, false},
		{"before", `{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:01Z"}}`, now, true},
		{"not before itself", `{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, now, false},
		{"at or before", `{"DateLessThanEquals":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, now, true},
		{"after", `{"DateGreaterThan":{"aws:CurrentTime":"2026-11-30T23:59:59Z"}}`, now, true},
		{"not after itself", `{"DateGreaterThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, now, false},
		{"at or after", `{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, now, true},
		{"a window", `{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-11-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, now, true},
		{"outside of a window", `{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-11-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, at("2027-01-01T00:00:00Z"), false},
		{"epoch key", `{"DateLessThan":{"aws:EpochTime":"2026-12-01T00:00:00Z"}}`, values{"aws:EpochTime": {"1796083199"}}, true},
		{"no date in a tag matches nothing", `{"DateLessThan":{"aws:ResourceTag/until":"2026-12-01"}}`, values{"aws:ResourceTag/until": {"soon"}}, false},
	})
}

func TestBoolBinaryAndAddressOperators(t *testing.T) {
	from := func(v string) values { return values{"aws:SourceIp": {v}} }
	runConditions(t, []conditionCase{
		{"true", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, values{"aws:MultiFactorAuthPresent": {"true"}}, true},
		{"JSON true", `{"Bool":{"aws:MultiFactorAuthPresent":true}}`, values{"aws:MultiFactorAuthPresent": {"true"}}, true},
		{"true is not false", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, values{"aws:MultiFactorAuthPresent": {"false"}}, false},
		{"absent is not false", `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, nil, false},
		{"binary", `{"BinaryEquals":{"aws:ResourceTag/b":"QmluYXJ5"}}`, values{"aws:ResourceTag/b": {"QmluYXJ5"}}, true},
		{"other binary", `{"BinaryEquals":{"aws:ResourceTag/b":"QmluYXJ5"}}`, values{"aws:ResourceTag/b": {"QmluYXJ6"}}, false},
		{"in range", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, from("203.0.113.9"), true},
		{"out of range", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, from("203.0.114.9"), false},
		{"host bits are masked", `{"IpAddress":{"aws:SourceIp":"203.0.113.77/24"}}`, from("203.0.113.9"), true},
		{"single address", `{"IpAddress":{"aws:SourceIp":"203.0.113.9"}}`, from("203.0.113.9"), true},
		{"single other address", `{"IpAddress":{"aws:SourceIp":"203.0.113.9"}}`, from("203.0.113.10"), false},
		{"any of several ranges", `{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}`, from("2001:DB8:1::5"), true},
		{"IPv6 out of range", `{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}`, from("2001:db9::1"), false},
		{"all of IPv4 is not IPv6", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, from("2001:db8::1"), false},
		{"a mapped address is the IPv4 address", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, from("::ffff:203.0.113.9"), true},
		{"not in range", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, from("198.51.100.1"), true},
		{"not in any of several ranges", `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}`, from("198.51.100.1"), false},
		{"no address matches nothing", `{"IpAddress":{"aws:ResourceTag/ip":"0.0.0.0/0"}}`, values{"aws:ResourceTag/ip": {"here"}}, false},
	})
}

func TestARNOperatorsCompareComponentByComponent(t *testing.T) {
	source := func(v string) values { return values{"aws:SourceArn": {v}} }
	const finance = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
	runConditions(t, []conditionCase{
		{"equal", `{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:123456789012:t"}}`, source("arn:aws:sns:eu-west-1:123456789012:t"), true},
		{"case-sensitive", `{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:123456789012:t"}}`, source("arn:aws:sns:eu-west-1:123456789012:T"), false},
		{"Equals takes wildcards as Like does", `{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:*:123456789012:*"}}`, source("arn:aws:sns:eu-west-1:123456789012:t"), true},
		{"like", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-????-1:123456789012:*"}}`, source("arn:aws:sns:eu-west-1:123456789012:t"), true},
		{"a wildcard stays in its component", `{"ArnLike":{"aws:SourceArn":"arn:aws:someservice:*:111122223333:finance/*"}}`, source(finance), false},
		{"where StringLike would match", `{"StringLike":{"aws:SourceArn":"arn:aws:someservice:*:111122223333:finance/*"}}`, source(finance), true},
		{"the last component may hold colons", `{"ArnLike":{"aws:SourceArn":"arn:aws:logs:*:*:log-group:*:log-stream:a"}}`, source("arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:a"), true},
		{"a question mark is no colon between components", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-west-1?123456789012:t:x"}}`, source("arn:aws:sns:eu-west-1:123456789012:t:x"), false},
		{"not like", `{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:t"}}`, source("arn:aws:sns:eu-west-1:123456789012:u"), true},
		{"not not like", `{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:t"}}`, source("arn:aws:sns:eu-west-1:123456789012:t"), false},
		{"not equals", `{"ArnNotEquals":{"aws:SourceArn":"arn:aws:sns:*:*:t"}}`, source("arn:aws:sns:eu-west-1:123456789012:t"), false},
		{"no ARN matches nothing", `{"ArnLike":{"aws:ResourceTag/a":"arn:*:*:*:*:*"}}`, values{"aws:ResourceTag/a": {"x"}}, false},
		{"variable", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"}}`, values{"aws:PrincipalArn": {"arn:aws:iam::123456789012:user/bob"}, "aws:username": {"bob"}}, true},
		{"a variable's star is a star", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:PrincipalTag/n}"}}`, values{"aws:PrincipalArn": {"arn:aws:iam::123456789012:user/bob"}, "aws:PrincipalTag/n": {"*"}}, false},
		{"variable as a whole", `{"ArnEquals":{"aws:SourceArn":"${aws:PrincipalArn}"}}`, values{"aws:PrincipalArn": {"arn:aws:iam::123456789012:user/bob"}, "aws:SourceArn": {"arn:aws:iam::123456789012:user/bob"}}, true},
		{"variable without value", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:${aws:username}"}}`, source("arn:aws:sns:eu-west-1:123456789012:"), false},
	})
}

func TestMissingKeysFailPositiveAndPassNegatedOperators(t *testing.T) {
	const absent = "aws:ResourceTag/absent"
	for op, value := range map[string]string{
		"StringEquals": `"a"`, "StringEqualsIgnoreCase": `"a"`, "StringLike": `"*"`,
		"NumericEquals": `"1"`, "NumericLessThan": `"1"`, "NumericLessThanEquals": `"1"`,
		"NumericGreaterThan": `"1"`, "NumericGreaterThanEquals": `"1"`,
		"DateEquals": `"2026-12-01"`, "DateLessThan": `"2026-12-01"`, "DateLessThanEquals": `"2026-12-01"`,
		"DateGreaterThan": `"2026-12-01"`, "DateGreaterThanEquals": `"2026-12-01"`,
		"Bool": `"true"`, "BinaryEquals": `"QQ=="`, "IpAddress": `"0.0.0.0/0"`,
		"ArnEquals": `"arn:*:*:*:*:*"`, "ArnLike": `"arn:*:*:*:*:*"`,
		"StringNotEquals": `"a"`, "StringNotEqualsIgnoreCase": `"a"`, "StringNotLike": `"*"`,
		"NumericNotEquals": `"1"`, "DateNotEquals": `"2026-12-01"`, "NotIpAddress": `"0.0.0.0/0"`,
		"ArnNotEquals": `"arn:*:*:*:*:*"`, "ArnNotLike": `"arn:*:*:*:*:*"`,
	} {
		negated := map[string]bool{
			"StringNotEquals": true, "StringNotEqualsIgnoreCase": true, "StringNotLike": true, "NumericNotEquals": true,
			"DateNotEquals": true, "NotIpAddress": true, "ArnNotEquals": true, "ArnNotLike": true,
		}[op]
		of := func(op string) string { return `{"` + op + `":{"` + absent + `":` + value + `}}` }
		runConditions(t, []conditionCase{
			{op, of(op), nil, negated},
			{op + "IfExists", of(op + "IfExists"), nil, true},
			{"ForAllValues:" + op, of("ForAllValues:" + op), nil, true},
			{"ForAllValues:" + op + "IfExists", of("ForAllValues:" + op + "IfExists"), nil, true},
			{"ForAnyValue:" + op, of("ForAnyValue:" + op), nil, false},
			{"ForAnyValue:" + op + "IfExists", of("ForAnyValue:" + op + "IfExists"), nil, false},
		})
	}
}

func TestIfExistsStillComparesAPresentKey(t *testing.T) {
	runConditions(t, []conditionCase{
		{"present and equal", `{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}`, values{"ssm:SessionDocumentAccessCheck": {"true"}}, true},
		{"present and other", `{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}`, values{"ssm:SessionDocumentAccessCheck": {"false"}}, false},
		{"negated, present and equal", `{"StringNotEqualsIfExists":{"aws:username":"bob"}}`, values{"aws:username": {"bob"}}, false},
	})
}

func TestNullAsksForPresence(t *testing.T) {
	present := values{"aws:TokenIssueTime": {"2026-12-01T00:00:00Z"}}
	runConditions(t, []conditionCase{
		{"true wants absence, present", `{"Null":{"aws:TokenIssueTime":"true"}}`, present, false},
		{"true wants absence, absent", `{"Null":{"aws:TokenIssueTime":"true"}}`, nil, true},
		{"false wants presence, present", `{"Null":{"aws:TokenIssueTime":"false"}}`, present, true},
		{"false wants presence, absent", `{"Null":{"aws:TokenIssueTime":"false"}}`, nil, false},
		{"JSON boolean", `{"Null":{"aws:TokenIssueTime":false}}`, present, true},
		{"either", `{"Null":{"aws:TokenIssueTime":["true","false"]}}`, nil, true},
		{"multivalued keys need no set operator", `{"Null":{"aws:TagKeys":"false"}}`, values{"aws:TagKeys": {"a", "b"}}, true},
		{"an empty tag value is present", `{"Null":{"aws:ResourceTag/a":"false"}}`, values{"aws:ResourceTag/a": {""}}, true},
	})
}

func TestSetOperatorsCompareSets(t *testing.T) {
	tags := func(v ...string) values { return values{"aws:TagKeys": v} }
	const all = `{"ForAllValues:StringEquals":{"aws:TagKeys":["env","team"]}}`
	const some = `{"ForAnyValue:StringEquals":{"aws:TagKeys":["env","team"]}}`
	const allNot = `{"ForAllValues:StringNotEquals":{"aws:TagKeys":["env","team"]}}`
	const someNot = `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env","team"]}}`
	runConditions(t, []conditionCase{
		{"all are listed", all, tags("env", "team"), true},
		{"one is not listed", all, tags("env", "cost"), false},
		{"all of none", all, nil, true},
		{"all of an empty string", all, tags(""), true},
		{"all with an empty string among them", all, tags("env", ""), false},
		{"some are listed", some, tags("env", "cost"), true},
		{"none is listed", some, tags("cost"), false},
		{"some of none", some, nil, false},
		{"some of an empty string", `{"ForAnyValue:StringLike":{"aws:TagKeys":"*"}}`, tags(""), false},
		{"all are others", allNot, tags("cost", "owner"), true},
		{"not all are others", allNot, tags("cost", "env"), false},
		{"some are others", someNot, tags("cost", "env"), true},
		{"none is other", someNot, tags("env", "team"), false},
		{"some others of none", someNot, nil, false},
		{"patterns", `{"ForAllValues:StringLike":{"aws:TagKeys":"ssm-access.dev/*"}}`, tags("ssm-access.dev/a", "ssm-access.dev/b"), true},
		{"if exists", `{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":"env"}}`, tags("cost"), false},
		{"any, if exists, empty string", `{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"env"}}`, tags(""), false},
		{"set operator on a single-valued key", `{"ForAnyValue:StringEquals":{"aws:username":"bob"}}`, values{"aws:username": {"bob"}}, true},
	})
}

func TestConditionsAreAllNeeded(t *testing.T) {
	both := values{"aws:username": {"bob"}, "aws:SourceIp": {"203.0.113.9"}}
	runConditions(t, []conditionCase{
		{"no condition", `{}`, nil, true},
		{"no key", `{"StringEquals":{}}`, nil, true},
		{"two operators", `{"StringEquals":{"aws:username":"bob"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, both, true},
		{"one of two operators", `{"StringEquals":{"aws:username":"ann"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, both, false},
		{"two keys", `{"StringEquals":{"aws:username":"bob","aws:SourceIp":"203.0.113.9"}}`, both, true},
		{"one of two keys", `{"StringEquals":{"aws:username":"bob","aws:SourceIp":"203.0.113.8"}}`, both, false},
	})
}

func TestPolicyVariablesInConditions(t *testing.T) {
	bob := values{"aws:username": {"bob"}, "aws:ResourceTag/owner": {"bob"}}
	eve := values{"aws:username": {"eve"}, "aws:ResourceTag/owner": {"bob"}}
	with := func(k, v string, more values) values {
		out := values{k: {v}}
		maps.Copy(out, more)
		return out
	}
	runConditions(t, []conditionCase{
		{"own", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"}}`, bob, true},
		{"another's", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"}}`, eve, false},
		{"key of a variable ignores case", `{"StringEquals":{"aws:ResourceTag/owner":"${AWS:USERNAME}"}}`, bob, true},
		{"within text", `{"StringLike":{"aws:ResourceTag/owner":"b${aws:PrincipalTag/o}?"}}`, with("aws:PrincipalTag/O", "o", bob), true},
		{"missing variable equals nothing", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}}`, bob, false},
		{"missing variable is like nothing", `{"StringLike":{"aws:ResourceTag/owner":"*${aws:PrincipalTag/x}*"}}`, bob, false},
		{"missing variable passes a negated operator", `{"StringNotEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}}`, bob, true},
		{"another value may still match", `{"StringEquals":{"aws:ResourceTag/owner":["${aws:PrincipalTag/x}","bob"]}}`, bob, true},
		{"default", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x, 'bob'}"}}`, bob, true},
		{"default is not used beside a value", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:username, 'bob'}"}}`, eve, false},
		{"default's wildcards are literal", `{"StringLike":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x, '*'}"}}`, bob, false},
		{"value's wildcards are literal", `{"StringLike":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}}`, with("aws:PrincipalTag/x", "*", bob), false},
		{"value's wildcards match themselves", `{"StringLike":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}}`, values{"aws:PrincipalTag/x": {"b*"}, "aws:ResourceTag/owner": {"b*"}}, true},
		{"a value is not substituted again", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}}`, with("aws:PrincipalTag/x", "${aws:username}", bob), false},
		{"escaped star", `{"StringLike":{"aws:ResourceTag/owner":"b${*}"}}`, bob, false},
		{"escaped star matches itself", `{"StringLike":{"aws:ResourceTag/owner":"b${*}"}}`, values{"aws:ResourceTag/owner": {"b*"}}, true},
		{"escaped question mark", `{"StringLike":{"aws:ResourceTag/owner":"bo${?}"}}`, values{"aws:ResourceTag/owner": {"bo?"}}, true},
		{"escaped question mark matches no other", `{"StringLike":{"aws:ResourceTag/owner":"bo${?}"}}`, bob, false},
		{"escaped dollar", `{"StringEquals":{"aws:ResourceTag/owner":"${$}{aws:username}"}}`, values{"aws:ResourceTag/owner": {"${aws:username}"}}, true},
		{"escapes in StringEquals", `{"StringEquals":{"aws:ResourceTag/owner":"${*}${?}${$}"}}`, values{"aws:ResourceTag/owner": {"*?$"}}, true},
		{"a lone dollar is a dollar", `{"StringEquals":{"aws:ResourceTag/owner":"$5 $"}}`, values{"aws:ResourceTag/owner": {"$5 $"}}, true},
		{"ignoring case", `{"StringEqualsIgnoreCase":{"aws:ResourceTag/owner":"${aws:username}"}}`, values{"aws:username": {"BOB"}, "aws:ResourceTag/owner": {"bob"}}, true},
		{"session owner", `{"StringEquals":{"ssm:resourceTag/aws:ssmmessages:session-id":"${aws:userid}"}}`, values{"aws:userid": {"AROAX:bob"}, "ssm:resourceTag/aws:ssmmessages:session-id": {"AROAX:bob"}}, true},
	})
}
