package check

import "fmt"

// sessionPath is whether the node reaches what its documents log to and take
// keys from. Where it does not, sessions open to a black screen.
func sessionPath(v *view) Check {
	services, missing := v.sessionServices()
	c := notNeeded(CheckSessionPath)
	if len(services) > 0 {
		c = v.wholePath(services)
	}
	if another, refuted := v.anotherWay(); c.Result == Fail && refuted {
		c = another
	}
	if missing != nil {
		c = worse(c, missing.check(CheckSessionPath))
	}
	c.Name = CheckSessionPath
	return c
}

// anotherWay is where the node is connected, and by what was read of its network
// it could not be: over a proxy, say, or to names in a hosted zone of its own. The
// same way may lead to the other services.
func (v *view) anotherWay() (Check, bool) {
	if v.link != linkUp {
		return Check{}, false
	}
	// An agent that does not report may have lost its way to ssm.
	proven := []string{serviceSSMMessages}
	if agent, known := v.agent.Get(); known && agent.reporting(v.Now) {
		proven = coreServices
	}
	found := v.wholePath(proven)
	if found.Result != Fail {
		return Check{}, false
	}
	return Check{
		Name: CheckSessionPath, Result: NotChecked, Reason: AnotherWay,
		Message: fmt.Sprintf("The check %s was not made: %s is connected over a way that cannot be seen from here, such as a proxy.", CheckSessionPath, v.Node.ID),
		Remedy:  "See on the node that it reaches CloudWatch Logs, S3 and KMS as far as its session documents need them.",
	}, true
}

// sessionServices are those that the documents need, in a fixed order.
func (v *view) sessionServices() ([]string, gaps) {
	var missing gaps
	var logs, s3, kms bool
	for i := range v.documents {
		if c, known := need(&missing, v.documents[i].Content); known {
			logs = logs || c.LogGroup != "" && c.logs()
			s3 = s3 || c.Bucket != "" && c.logs()
			kms = kms || c.SessionKey != ""
		}
	}
	var services []string
	for _, s := range []struct {
		name   string
		needed bool
	}{{serviceLogs, logs}, {serviceS3, s3}, {serviceKMS, kms}} {
		if s.needed {
			services = append(services, s.name)
		}
	}
	return services, missing
}

// wholePath is the first of the gravest findings on the way.
func (v *view) wholePath(services []string) Check {
	paths := v.paths(services)
	c := endpointPresent(v, paths)
	for _, judge := range []func(*view, []path) Check{
		endpointState, endpointSubnet, dnsHostnames, endpointPrivateDNS, endpointPolicy, securityGroupEgress, networkACL, endpointIngress,
	} {
		found := judge(v, paths)
		if c.Result == Pass && found.Result == Pass && c.Reason == NotNeeded {
			c = found
		}
		c = worse(c, found)
	}
	return c
}
