package reach

// sessionPath is whether the node reaches what its documents log to and take
// keys from. Where it does not, sessions open to a black screen.
func sessionPath(v *view) Check {
	services, missing := v.sessionServices()
	c := notNeeded(CheckSessionPath)
	if len(services) > 0 {
		c = v.wholePath(services)
	}
	if missing != nil {
		c = worse(c, missing.check(CheckSessionPath))
	}
	c.Name = CheckSessionPath
	return c
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
