package awsemulator_test

import emulatediam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"

func arns(entities []emulatediam.ExportedEntity) []string {
	var list []string
	for _, e := range entities {
		list = append(list, e.ARN)
	}
	return list
}
