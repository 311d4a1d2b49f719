package iam

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

//go:embed awsmanaged/*.json
var awsManagedFiles embed.FS

// awsManagedSince is the age of AWS's policies: before everything else.
var awsManagedSince = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

// awsManagedPolicies returns AWS's own policies of a partition, by ARN. Few
// are held, and those in the part that matters to Session Manager.
func awsManagedPolicies(partition string) map[string]*Policy {
	files, err := awsManagedFiles.ReadDir("awsmanaged")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	policies := map[string]*Policy{}
	for i, f := range files {
		text, err := awsManagedFiles.ReadFile(path.Join("awsmanaged", f.Name()))
		if err != nil {
			panic(err)
		}
		parsed, err := authz.Parse(text)
		if err != nil {
			panic(fmt.Sprintf("the policy document %s of AWS: %v", f.Name(), err))
		}
		name := strings.TrimSuffix(f.Name(), ".json")
		arn := "arn:" + partition + ":iam::aws:policy/" + name
		policies[arn] = &Policy{
			Name: name, Path: "/", ARN: arn, ID: fmt.Sprintf("ANPA%017d", i), AWSManaged: true,
			Created: awsManagedSince, Updated: awsManagedSince, Default: "v1", NextVersion: 2,
			Versions: []*Version{{ID: "v1", Created: awsManagedSince, Document: Document{Text: string(text), Parsed: parsed}}},
		}
	}
	return policies
}
