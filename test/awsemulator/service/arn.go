package service

// Scope is where regional resources live.
type Scope struct {
	Partition, Region, AccountID string
}

// ARN builds the ARN of a resource of a service in the scope.
func (s Scope) ARN(service, resource string) string {
	return "arn:" + s.Partition + ":" + service + ":" + s.Region + ":" + s.AccountID + ":" + resource
}
