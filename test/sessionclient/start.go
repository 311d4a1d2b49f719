package sessionclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// emptyHash is the hash of a request without a body, in hexadecimal.
var emptyHash = func() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}()

// Start calls StartSession and returns how to connect to the session: as new plugins do,
// with a signed request, and with the same credentials for ResumeSession and KMS. An error of
// AWS is in the chain of the error.
func Start(ctx context.Context, cfg aws.Config, in *ssm.StartSessionInput) (Options, error) {
	client := ssm.NewFromConfig(cfg)
	started, err := client.StartSession(ctx, in)
	if err != nil {
		return Options{}, fmt.Errorf("start the session: %w", err)
	}
	return Options{
		StreamURL: aws.ToString(started.StreamUrl), Token: aws.ToString(started.TokenValue),
		SessionID: aws.ToString(started.SessionId), Target: aws.ToString(in.Target),
		Sign: Signer(ctx, cfg),
		Resume: func(ctx context.Context) (string, error) {
			again, err := client.ResumeSession(ctx, &ssm.ResumeSessionInput{SessionId: started.SessionId})
			if err != nil {
				return "", err
			}
			return aws.ToString(again.TokenValue), nil
		},
		DataKey: keyMaker(kms.NewFromConfig(cfg)),
	}, nil
}

// Signer signs the request that opens a data channel.
func Signer(ctx context.Context, cfg aws.Config) func(*http.Request) error {
	return func(r *http.Request) error {
		keys, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return err
		}
		return v4.NewSigner().SignHTTP(ctx, keys, r, emptyHash, "ssmmessages", cfg.Region, time.Now())
	}
}

func keyMaker(client *kms.Client) KeyMaker {
	return func(ctx context.Context, key string, encryption map[string]string) (plain, encrypted []byte, err error) {
		made, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
			KeyId: aws.String(key), NumberOfBytes: aws.Int32(channelmessage.KeyBytes), EncryptionContext: encryption,
		})
		if err != nil {
			return nil, nil, err
		}
		return made.Plaintext, made.CiphertextBlob, nil
	}
}
