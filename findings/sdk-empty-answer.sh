#!/usr/bin/env bash
# AWS SDK for Go v2: an answer without a body is an empty account.
#
# A guess: a 200 whose body is missing is an error, for the SDK checks that the
# result element of IAM's XML is there. An answer without that element is
# refused, so an answer without anything is, too.
# What is so: a body of no bytes is a success. A bulk read of IAM then holds no
# user and no policy and is not truncated, DescribeSessions lists no session,
# and GetCallerIdentity names no account. A controller that takes absence from
# such an answer believes that a revocation is done. A proxy or an emulator can
# answer so. Check a member that AWS always sends.
#
# Controls: all three refuse a page of HTML and a result of another operation.
#
# Modules: github.com/aws/aws-sdk-go-v2/service/iam v1.65.0, ssm v1.82.1, sts
# v1.52.0 on v1.48.0. iam v1.64.9 answers the same. Run on 2026-11-29 with
# Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/aws/aws-sdk-go-v2 v1.48.0
	github.com/aws/aws-sdk-go-v2/service/iam v1.65.0
	github.com/aws/aws-sdk-go-v2/service/ssm v1.82.1
	github.com/aws/aws-sdk-go-v2/service/sts v1.52.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer server.Close()
	config := aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}, nil
		}),
	}
	ctx := context.Background()
	read := map[string]func() (string, error){
		"iam GetAccountAuthorizationDetails": func() (string, error) {
			out, err := iam.NewFromConfig(config).GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d users, %d policies, truncated %v", len(out.UserDetailList), len(out.Policies), out.IsTruncated), nil
		},
		"ssm DescribeSessions": func() (string, error) {
			out, err := ssm.NewFromConfig(config).DescribeSessions(ctx, &ssm.DescribeSessionsInput{State: "Active"})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d sessions, next page %v", len(out.Sessions), out.NextToken != nil), nil
		},
		"sts GetCallerIdentity": func() (string, error) {
			out, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("account %q", aws.ToString(out.Account)), nil
		},
	}
	changed := false
	expect := func(answer, call, want string) {
		body = answer
		got, err := read[call]()
		if err != nil {
			got = "error"
		}
		fmt.Printf("%-34s answer %q: %s\n", call, answer, got)
		if got != want {
			fmt.Fprintf(os.Stderr, "CHANGED, was %s: %v\n", want, err)
			changed = true
		}
	}
	fmt.Println("iam", "v1.65.0", "ssm", "v1.82.1", "sts", "v1.52.0")
	for _, answer := range []string{"<html><body>Sign in</body></html>", "<CreatePolicyResponse><CreatePolicyResult/></CreatePolicyResponse>"} {
		expect(answer, "iam GetAccountAuthorizationDetails", "error")
		expect(answer, "sts GetCallerIdentity", "error")
		expect(answer, "ssm DescribeSessions", "error")
	}
	expect("", "iam GetAccountAuthorizationDetails", "0 users, 0 policies, truncated false")
	expect("", "sts GetCallerIdentity", `account ""`)
	expect("", "ssm DescribeSessions", "0 sessions, next page false")
	if changed {
		os.Exit(1)
	}
}
GO
GOFLAGS=-mod=mod go run .
