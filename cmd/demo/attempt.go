package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// attempt is a user who opens a session on a node, and what is declared.
type attempt struct {
	user, node string
	// id of the node.
	id string
	// document that is named; the default one when empty.
	document string
	want     answer
}

func (a attempt) String() string {
	if a.document == "" {
		return fmt.Sprintf("%s on %s", a.user, a.node)
	}
	return fmt.Sprintf("%s on %s, --document-name %s", a.user, a.node, a.document)
}

// attempts makes each attempt, shows what AWS answers, and fails where the
// answer differs from the declaration.
func (s *stage) attempts(ctx context.Context, list ...attempt) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	var wrong []string
	for _, a := range list {
		got, err := try(ctx, ssm.NewFromConfig(s.env.AWSConfig(s.env.Credentials(a.user))), a.id, a.document)
		if err != nil {
			return fmt.Errorf("open a session as %s: %w", a, err)
		}
		fmt.Fprintf(table, "%s\t%s\n", a, got)
		if got != a.want {
			wrong = append(wrong, fmt.Sprintf("%s: %q was declared, and AWS answered %q.", a, a.want, got))
		}
	}
	_ = table.Flush() // Nothing can be done when the terminal is gone.
	fmt.Fprintln(s.out)
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}
