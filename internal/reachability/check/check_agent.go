package check

import "fmt"

func hybridTier(v *view) Check {
	var missing gaps
	tier, known := need(&missing, v.Tier)
	switch {
	case !known:
		return missing.check(CheckHybridTier)
	case tier.Pending:
		return tierChanging(v, tier)
	case !tier.Advanced:
		return fail(CheckHybridTier, StandardTier,
			fmt.Sprintf("Hybrid nodes in %s have the standard tier, and sessions on %s need the advanced one.", v.Node.Region, v.Node.ID),
			"Set tier: Advanced for the region in the account's AccountTier, or create one; AWS then charges for every hybrid node by the hour.")
	default:
		return pass(CheckHybridTier)
	}
}

// tierChanging judges a tier in transition: until AWS shows the advanced tier,
// it refuses sessions as with the standard one.
func tierChanging(v *view, tier Tier) Check {
	c := fail(CheckHybridTier, TierChanging,
		fmt.Sprintf("The tier of hybrid nodes in %s is being changed, and sessions on %s need the advanced one.", v.Node.Region, v.Node.ID),
		"Wait until AWS has changed it: minutes upwards, half an hour or more back.")
	if tier.Advanced {
		return c.as(Warn)
	}
	return c
}

func registration(v *view) Check {
	var missing gaps
	agent, known := need(&missing, v.agent)
	switch {
	case !known:
		return missing.check(CheckRegistration)
	case agent.Registered:
		return pass(CheckRegistration)
	}
	remedy := "Register the machine again with an activation, and target the id that it then has."
	if a, known := v.Node.Activation.Get(); known && (!a.Exists || a.Expired || a.Count >= a.Limit) {
		remedy = "Create a new activation, for the one it had admits no more machines, register the machine with it, and target the id that it then has."
	}
	return fail(CheckRegistration, NotRegistered,
		fmt.Sprintf("Systems Manager knows no node %s in %s.", v.Node.ID, v.Node.Region), remedy)
}

func agentOnline(v *view) Check {
	var missing gaps
	agent, known := need(&missing, v.agent)
	switch {
	case !known:
		return missing.check(CheckAgentOnline)
	case !agent.Registered && v.Node.Hybrid():
		// Registration has failed for it.
		missing.notRead()
		return missing.check(CheckAgentOnline)
	case agent.reporting(v.Now):
		return pass(CheckAgentOnline)
	case v.starting():
		return instanceStarting(v, CheckAgentOnline)
	case !agent.Registered:
		return fail(CheckAgentOnline, AgentNeverSeen,
			fmt.Sprintf("Systems Manager does not know instance %s: its agent has not reported.", v.Node.ID),
			"Install and start the SSM agent on it. "+askTheMachine)
	default:
		return fail(CheckAgentOnline, AgentOffline,
			fmt.Sprintf("The agent of %s has stopped reporting.", v.Node.ID),
			"Start the machine and its SSM agent. "+askTheMachine)
	}
}

// askTheMachine: what cannot be seen from outside.
const askTheMachine = "If it runs, its log (amazon-ssm-agent.log) and ssm-cli get-diagnostics show what it misses: a proxy, a firewall, a wrong clock."

func connected(v *view) Check {
	switch v.link {
	case linkUp:
		return pass(CheckConnected)
	case linkDown:
		return disconnected(v)
	default:
		var missing gaps
		if _, known := need(&missing, v.Node.Connection); known {
			return notUnderstood(CheckConnected, "the connection status")
		}
		need(&missing, v.agent)
		return missing.check(CheckConnected)
	}
}

// disconnected explains why, as far as the agent shows it. For a machine that
// has just started, it is not known yet whether the agent connects.
func disconnected(v *view) Check {
	if version, reported := v.agentVersion(); reported && version.Before(sinceSession) {
		return fail(CheckConnected, AgentTooOld,
			fmt.Sprintf("The agent %s of %s is older than Session Manager.", version, v.Node.ID),
			fmt.Sprintf("Update the agent to %s or later.", sinceSession))
	}
	if v.starting() {
		return instanceStarting(v, CheckConnected).as(NotChecked)
	}
	if agent, known := v.agent.Get(); known && agent.reporting(v.Now) {
		remedy := "Wait two minutes if it has just started; else see that it reaches ssmmessages and restart it. "
		if v.sameRoute() {
			remedy = "Wait two minutes if it has just started; else restart the agent, whose reports come over the same route. "
		}
		return fail(CheckConnected, ChannelClosed,
			fmt.Sprintf("The agent of %s reports, but has no open control channel.", v.Node.ID), remedy+askTheMachine)
	}
	return fail(CheckConnected, NotConnected,
		fmt.Sprintf("%s is not connected to Session Manager.", v.Node.ID), askTheMachine)
}

// sameRoute reports whether the control channel takes the route over which the agent
// reports: neither service has an endpoint here, so that what lets the one out lets the
// other out.
func (v *view) sameRoute() bool {
	if len(v.core) == 0 {
		return false
	}
	for i := range v.core {
		if v.core[i].endpoint != nil || v.core[i].hop == hopUnknown {
			return false
		}
	}
	return true
}

// use is a feature that a document uses.
type use struct {
	feature
	document string
}

// uses are the features of the agent that the documents use, but for those that a
// connection proves, and the contents that are not known.
func (v *view) uses() (used []use, missing gaps) {
	for i := range v.documents {
		content, known := need(&missing, v.documents[i].Content)
		for _, f := range features {
			if known && f.used(&content) && (f.since != sinceSession || v.link != linkUp) {
				used = append(used, use{f, v.documents[i].Name})
			}
		}
	}
	return used, missing
}

// agentVersion compares the agent with what the documents use.
func agentVersion(v *view) Check {
	used, missing := v.uses()
	if len(used) == 0 && missing == nil {
		return notNeeded(CheckAgentVersion)
	}
	version, reported := v.agentVersion()
	if !reported {
		return agentUnseen(v, CheckAgentVersion)
	}
	var lacking []string
	var enough Version
	for _, u := range used {
		if version.Before(u.since) {
			lacking = append(lacking, fmt.Sprintf("%s in %s", u.name, u.document))
			if enough.Before(u.since) {
				enough = u.since
			}
		}
	}
	switch {
	case len(lacking) > 0:
		return warn(CheckAgentVersion, AgentTooOld,
			fmt.Sprintf("The agent %s of %s is too old for %s.", version, v.Node.ID, list(sortedSet(lacking))),
			fmt.Sprintf("Update the agent to %s or later.", enough))
	case missing != nil:
		return missing.check(CheckAgentVersion)
	default:
		return pass(CheckAgentVersion)
	}
}
