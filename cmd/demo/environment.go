package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// environment is a shell script that points kubectl and the AWS CLI at what is
// running, with the credentials of every user of the fixture.
func environment(env *testenv.Env) string {
	var script strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&script, format+"\n", args...) }

	line("# Written by the playground, for a POSIX shell to source; gone when it stops.")
	line("export KUBECONFIG=%s", quote(env.KubeconfigPath))
	line("export PATH=%s:\"$PATH\"", quote(filepath.Dir(env.KubectlPath)))
	line("export AWS_ENDPOINT_URL=%s", quote(env.URL))
	// The SDKs read the first, the CLI the second.
	line("export AWS_REGION=%[1]s AWS_DEFAULT_REGION=%[1]s", quote(env.Region))
	line("export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true")
	line("unset AWS_PROFILE AWS_SESSION_TOKEN")
	line("")
	exportKeys(line, "", env.Operator())
	for _, user := range env.Account.Users {
		if len(user.AccessKeys) > 0 {
			exportKeys(line, variable(user.Name)+"_", env.Credentials(user.Name))
		}
	}
	line("")
	line(functions, env.Account.ID)
	return script.String()
}

func exportKeys(line func(string, ...any), prefix string, c aws.Credentials) {
	line("export %[1]sAWS_ACCESS_KEY_ID=%[2]s %[1]sAWS_SECRET_ACCESS_KEY=%[3]s", prefix, quote(c.AccessKeyID), quote(c.SecretAccessKey))
}

// variable is a user's name as a part of a variable's.
func variable(user string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(user))
}

// quote makes a word of any text for a POSIX shell.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// functions are for trying things as one user or another. %s is the account id.
const functions = `# as USER COMMAND...: run a command with the keys of a user.
as() {
  __user=$(printf '%%s' "$1" | tr 'a-z' 'A-Z' | tr -c 'A-Z0-9' '_'); shift
  eval "__id=\$${__user}_AWS_ACCESS_KEY_ID __secret=\$${__user}_AWS_SECRET_ACCESS_KEY"
  env AWS_ACCESS_KEY_ID="$__id" AWS_SECRET_ACCESS_KEY="$__secret" "$@"
}

# start_session USER INSTANCE: ask AWS to open a session, with curl alone.
start_session() {
  as "$1" sh -c 'curl -sS --aws-sigv4 "aws:amz:$AWS_REGION:ssm" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    -H "Content-Type: application/x-amz-json-1.1" -H "X-Amz-Target: AmazonSSM.StartSession" \
    -d "{\"Target\":\"$1\"}" "$AWS_ENDPOINT_URL/"; echo' sh "$2"
}

# may USER ACTION RESOURCE: ask the emulator how IAM judges.
may() {
  curl -sS "$AWS_ENDPOINT_URL/_emulator/may" \
    -d "{\"principal\":\"arn:aws:iam::%s:user/$1\",\"action\":\"$2\",\"resources\":[\"$3\"]}"
}
`
