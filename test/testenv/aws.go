package testenv

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// operatorUser is the user in the fixtures that the operator runs as.
const operatorUser = "ssm-access-operator"

// Operator is the credentials that the operator is started with.
func (e *Env) Operator() aws.Credentials { return e.Credentials(operatorUser) }

// Credentials are those of a user of the fixture's first account. It panics when
// the fixture gives that user no access key.
func (e *Env) Credentials(user string) aws.Credentials {
	for _, u := range e.Account.Users {
		if u.Name == user && len(u.AccessKeys) > 0 {
			return KeyCredentials(u.AccessKeys[0])
		}
	}
	panic(fmt.Sprintf("the fixture has no user %q with an access key", user))
}

// KeyCredentials are those of an access key of a fixture.
func KeyCredentials(key fixtures.AccessKey) aws.Credentials {
	return aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.SessionToken}
}

// AWSConfig is a configuration for the SDK that reaches the emulator with the
// given credentials, whatever the environment says.
func (e *Env) AWSConfig(c aws.Credentials) aws.Config {
	return aws.Config{
		Region:       e.Region,
		BaseEndpoint: aws.String(e.URL),
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}
