package sts

import "github.com/aws/aws-sdk-go-v2/aws/arn"

// accountOf returns the account id of an ARN, "" when it is none.
func accountOf(text string) string {
	parsed, err := arn.Parse(text)
	if err != nil {
		return ""
	}
	return parsed.AccountID
}
