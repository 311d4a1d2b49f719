package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

const connectUsage = `aws-emulator connect opens a session on a node, as "aws ssm start-session" does
with the session-manager-plugin installed. It needs neither. Source the
playground's environment first, or give --endpoint.

Flags:
`

// connection is what the flags of connect say.
type connection struct {
	user, target, document, endpoint, region string
	parameters                               map[string][]string
}

func parseConnect(args []string, env func(string) string, out io.Writer) (connection, error) {
	c := connection{parameters: map[string][]string{}}
	f := flag.NewFlagSet("aws-emulator connect", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprint(out, connectUsage)
		f.PrintDefaults()
	}
	f.StringVar(&c.user, "as", "", "The `USER` whose keys to use: those in USER_AWS_ACCESS_KEY_ID and USER_AWS_SECRET_ACCESS_KEY, else the fixture's.")
	f.StringVar(&c.target, "target", "", "The `NODE` to open the session on: i-… or mi-….")
	f.StringVar(&c.document, "document-name", "", "The session `DOCUMENT`; the account's preferences without it.")
	f.Func("parameter", "A parameter of the document, as `NAME=VALUE`. It may be given several times.", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return errors.New("it has the form NAME=VALUE")
		}
		c.parameters[name] = append(c.parameters[name], value)
		return nil
	})
	f.StringVar(&c.endpoint, "endpoint", cmp.Or(env("AWS_ENDPOINT_URL"), "http://127.0.0.1:4566"), "The emulator's `URL`.")
	f.StringVar(&c.region, "region", cmp.Or(env("AWS_REGION"), "ap-northeast-1"), "The AWS `REGION` of the node.")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	var err error
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("%q is not a flag; see --help", f.Arg(0))
	case c.user == "":
		err = errors.New("give the user: --as USER")
	case c.target == "":
		err = errors.New("give the node: --target NODE")
	}
	if err != nil {
		fmt.Fprintln(out, "aws-emulator connect:", err)
	}
	return c, err
}

// keys finds the access key of the user.
func (c connection) keys(env func(string) string) (aws.Credentials, error) {
	prefix := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(c.user)) + "_"
	if id := env(prefix + "AWS_ACCESS_KEY_ID"); id != "" {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: env(prefix + "AWS_SECRET_ACCESS_KEY")}, nil
	}
	for _, a := range fixtures.S1().Accounts {
		for _, u := range a.Users {
			if u.Name == c.user && len(u.AccessKeys) > 0 {
				return aws.Credentials{AccessKeyID: u.AccessKeys[0].ID, SecretAccessKey: u.AccessKeys[0].Secret}, nil
			}
		}
	}
	return aws.Credentials{}, fmt.Errorf("there is no key of %s: %sAWS_ACCESS_KEY_ID is not set, and the built-in fixture has no such user", c.user, prefix)
}

// connect opens a session and connects it to in and out until it has ended.
func connect(ctx context.Context, c connection, env func(string) string, in *os.File, out io.Writer) error {
	keys, err := c.keys(env)
	if err != nil {
		return err
	}
	cfg := aws.Config{Region: c.region, BaseEndpoint: aws.String(c.endpoint), Credentials: credentials.StaticCredentialsProvider{Value: keys}}
	input := &ssm.StartSessionInput{Target: aws.String(c.target), Parameters: c.parameters}
	if c.document != "" {
		input.DocumentName = aws.String(c.document)
	}
	started, err := sessionclient.Start(ctx, cfg, input)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nStarting session with SessionId: %s\n", started.SessionID)
	s, err := sessionclient.Open(ctx, started)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // It has ended or is abandoned.
	return converse(ctx, s, started.SessionID, in, out)
}
