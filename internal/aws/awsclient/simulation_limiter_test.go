package awsclient_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

// At the default rate, twenty simulations take longer than the burst of two and a
// request a second allow; a write passes them, and their throttling does not slow it.
func TestSimulationsHaveALimiterOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFailing(t, func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			if r.PostForm.Get("Action") == "SimulatePrincipalPolicy" {
				xmlError(400, "Throttling")(w, r)
				return
			}
			answerWith(200, "text/xml", strings.ReplaceAll(`<NResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata/></NResponse>`, "N", r.PostForm.Get("Action")))(w, r)
		})
		pool := awsclient.NewPool(awsclient.Options{
			OwnerID: emulated.OwnerID,
			Base: aws.Config{
				BaseEndpoint: aws.String("http://aws.example"), HTTPClient: server.client,
				Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOROPERATOR", "operator-secret", ""),
			},
		})
		account := pool.Account(awsclient.Config{AccountID: emulated.AccountID, Region: emulated.Region})
		clients, err := account.Clients(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		waiting, stop := context.WithCancel(t.Context())
		for range 20 {
			go func() {
				// They are throttled, and broken off in the end.
				_, _ = clients.IAM().SimulatePrincipalPolicy(waiting, &iam.SimulatePrincipalPolicyInput{
					PolicySourceArn: aws.String("arn:aws:iam::" + emulated.AccountID + ":user/alice"), ActionNames: []string{"ssm:StartSession"},
				})
			}()
		}
		synctest.Wait()
		began := time.Now()
		for range 10 {
			if _, err := clients.IAM().DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::" + emulated.AccountID + ":policy/x")}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("ten writes waited %s behind simulations", took)
		}
		if rates := account.Rates(); rates["iam"] != awsclient.DefaultRate || rates["iam-simulation"] >= awsclient.DefaultRate/10 {
			t.Errorf("the rates are %v", rates)
		}
		stop()
		synctest.Wait()
	})
}
