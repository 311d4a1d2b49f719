package check

// FirstFailure is the first check that fails: what to fix first. The checks are
// in the order of [Judge].
func FirstFailure(checks []Check) (Check, bool) {
	for i := range checks {
		if checks[i].Result == Fail {
			return checks[i], true
		}
	}
	return Check{}, false
}
