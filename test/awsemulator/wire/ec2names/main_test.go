package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTableIsThatOfTheSDKInUse(t *testing.T) {
	want, err := Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../zz_ec2_names.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the table is not that of the SDK that go.mod names: run go generate in test/awsemulator/wire")
	}
}
