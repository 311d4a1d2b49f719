package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// kubectl shows a command, runs it and shows what it prints.
func (s *stage) kubectl(ctx context.Context, args ...string) error {
	fmt.Fprintf(s.out, "$ kubectl %s\n", commandLine(args))
	cmd := exec.CommandContext(ctx, s.env.KubectlPath, args...)
	cmd.Env = s.env.Environ(s.env.Operator())
	cmd.Dir = s.env.Checkout
	cmd.Stdout, cmd.Stderr = s.out, s.out
	err := cmd.Run()
	fmt.Fprintln(s.out)
	if err != nil {
		return fmt.Errorf("\"kubectl %s\" failed: %w", args[0], err)
	}
	return nil
}

// commandLine is what a person would type.
func commandLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		if words[i] = arg; strings.ContainsAny(arg, "{}[]()*?@$'\" ") {
			words[i] = quote(arg)
		}
	}
	return strings.Join(words, " ")
}
