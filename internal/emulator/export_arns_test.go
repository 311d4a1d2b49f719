package emulator_test

import emulatediam "github.com/ssm-access-operator/ssm-access-operator/internal/emulator/iam"

func arns(entities []emulatediam.ExportedEntity) []string {
	var list []string
	for _, e := range entities {
		list = append(list, e.ARN)
	}
	return list
}
