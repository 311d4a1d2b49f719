package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// playground applies the samples, writes the file to source, prints what to
// try, and returns when the context ends.
func (s *stage) playground(ctx context.Context, directory string) (err error) {
	if err := s.apply(ctx); err != nil {
		return err
	}
	file := filepath.Join(directory, "playground.env")
	// It holds credentials, of nothing but the emulator.
	if err := os.WriteFile(file, []byte(environment(s.env)), 0o600); err != nil {
		return fmt.Errorf("write the environment: %w", err)
	}
	defer os.Remove(file)
	fmt.Fprintf(s.out, playgroundHelp, file, s.logs[0].Name())
	<-ctx.Done()
	fmt.Fprintln(s.out, "Stopping everything.")
	return nil
}

const playgroundHelp = `Everything runs until you press Ctrl-C. In another shell of the same directory:

  . %s

  kubectl get awsaccount,sessionaccess -A -o wide
  kubectl describe sessionaccess -n team-a user01-pc01
  kubectl edit sessionaccess -n team-a user01-pc01

  bin/aws-emulator connect --as user01 --target i-051cac51072605f39   # a shell; exit leaves it
  kubectl delete sessionaccess -n team-a user01-pc01 --wait=false     # closes it, from a third shell
  as user02 aws ssm start-session --target i-0ee187d8794b12114        # the same with AWS CLI and plugin
  start_session user02 i-051cac51072605f39        # with curl: only whether AWS opens it
  as admin aws iam list-attached-user-policies --user-name user01
  as admin aws ssm describe-sessions --state Active

  may user01 ssm:ResumeSession arn:aws:ssm:ap-northeast-1:488821267897:session/user01-abc   # how IAM judges, and why
  curl -s $AWS_ENDPOINT_URL/_emulator/calls       # which calls AWS has seen

The operator's log is %s.

`
