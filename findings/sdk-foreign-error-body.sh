#!/usr/bin/env bash
# AWS SDK for Go v2, IAM: an error of a proxy is no API error any more.
#
# A guess: a minor release of the IAM client keeps what errors.As finds. Code
# that reads smithy.APIError for a code, and takes the rest for a network fault,
# keeps working.
# What is so: iam v1.65.0 (November 2026, serialisers from schemas) answers an
# error status whose body is not AWS's XML with smithy.DeserializationError.
# Before, it was a smithy.APIError with the code UnknownError. The request id
# that stands in the body alone is lost, too. And the code
# "NoSuchEntityException" is now the typed NoSuchEntity, which it was not.
# What stays: the HTTP status is in *http.ResponseError in both.
#
# Control: an error as IAM sends it is the same in both.
#
# Modules: github.com/aws/aws-sdk-go-v2/service/iam v1.64.9 and v1.65.0 on
# v1.48.0. Run on 2026-11-29 with Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
)

func main() {
	status, body, header := 0, "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("X-Amzn-RequestId", header)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	client := iam.New(iam.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}, nil
		}),
	})
	xml := func(code string) string {
		return "<ErrorResponse><Error><Code>" + code + "</Code><Message>m</Message></Error><RequestId>body-id</RequestId></ErrorResponse>"
	}
	for _, c := range []struct {
		what         string
		status       int
		body, header string
	}{
		{"as IAM sends it", 404, xml("NoSuchEntity"), "header-id"},
		{"id in the body alone", 404, xml("NoSuchEntity"), ""},
		{"code with Exception", 404, xml("NoSuchEntityException"), "header-id"},
		{"503 of a proxy", 503, "<html><body>busy</body></html>", ""},
		{"502 without a body", 502, "", ""},
	} {
		status, body, header = c.status, c.body, c.header
		_, err := client.GetUser(context.Background(), &iam.GetUserInput{UserName: aws.String("user01")})
		var api smithy.APIError
		var typed *types.NoSuchEntityException
		var broken *smithy.DeserializationError
		var response *awshttp.ResponseError
		code := "none"
		if errors.As(err, &api) {
			code = api.ErrorCode()
		}
		isResponse := errors.As(err, &response)
		id, http := "", 0
		if isResponse {
			id, http = response.ServiceRequestID(), response.HTTPStatusCode()
		}
		fmt.Fprintf(os.Stdout, "%s: code %s, typed %v, deserialization error %v, status %d, request id %q\n",
			c.what, code, errors.As(err, &typed), errors.As(err, &broken), http, id)
	}
}
GO
ask() {
  printf 'module finding\n\ngo 1.26\n\nrequire (\n\tgithub.com/aws/aws-sdk-go-v2 v1.48.0\n\tgithub.com/aws/aws-sdk-go-v2/service/iam %s\n\tgithub.com/aws/smithy-go v1.28.9\n)\n' "$1" >go.mod
  rm -f go.sum
  GOFLAGS=-mod=mod go run . >"$1.txt"
  echo "iam $1"
  sed 's/^/  /' "$1.txt"
}
ask v1.64.9
ask v1.65.0
cat >old <<'TXT'
as IAM sends it: code NoSuchEntity, typed true, deserialization error false, status 404, request id "header-id"
id in the body alone: code NoSuchEntity, typed true, deserialization error false, status 404, request id "body-id"
code with Exception: code NoSuchEntityException, typed false, deserialization error false, status 404, request id "header-id"
503 of a proxy: code UnknownError, typed false, deserialization error false, status 503, request id ""
502 without a body: code UnknownError, typed false, deserialization error false, status 502, request id ""
TXT
cat >new <<'TXT'
as IAM sends it: code NoSuchEntity, typed true, deserialization error false, status 404, request id "header-id"
id in the body alone: code NoSuchEntity, typed true, deserialization error false, status 404, request id ""
code with Exception: code NoSuchEntity, typed true, deserialization error false, status 404, request id "header-id"
503 of a proxy: code none, typed false, deserialization error true, status 503, request id ""
502 without a body: code none, typed false, deserialization error true, status 502, request id ""
TXT
diff old v1.64.9.txt && diff new v1.65.0.txt || { echo CHANGED >&2; exit 1; }
