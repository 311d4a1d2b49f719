package awsclient_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Records hold the operator's time, and are compared with the times of AWS's sessions. If the
// SDK signed with AWS's time, the operator would work with a clock that is further off than
// the comparison allows for.
func TestAWSRefusesAnOperatorWhoseClockIsOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": -time.Hour, "behind": time.Hour} {
		for service, c := range map[string]struct {
			call   call
			answer http.HandlerFunc
			code   string
		}{
			"SSM": {describeSessions, jsonError(400, "InvalidSignatureException"), "InvalidSignatureException"},
			"IAM": {listUsers, xmlError(403, "SignatureDoesNotMatch"), "SignatureDoesNotMatch"},
		} {
			t.Run(name+" "+service, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					server := newFailing(t, atTime(off, c.answer))
					clients := server.clients(t)
					for range 2 { // The SDK remembers how far off the last answer was.
						if err := c.call(context.Background(), clients); awserr.Code(err) != c.code {
							t.Errorf("a call of a clock that is an hour off returns %v", err)
						}
					}
					if n := len(server.take()); n != 2 {
						t.Errorf("two calls were sent %d times", n)
					}
				})
			})
		}
	}
}

// atTime refuses requests as AWS does whose time is not within five minutes of its own, which
// is off the client's by a time.
func atTime(off time.Duration, refuse http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Add(off)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || signed.Sub(now).Abs() > 5*time.Minute {
			refuse(w, r)
			return
		}
		answerWith(200, "application/x-amz-json-1.1", `{}`)(w, r)
	}
}
