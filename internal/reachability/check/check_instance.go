package check

import (
	"fmt"
	"time"
)

// startsWithin is how long an agent may take to report after its instance was
// started, without anything being wrong.
const startsWithin = 5 * time.Minute

// States of an instance.
const (
	statePending      = "pending"
	stateRunning      = "running"
	stateShuttingDown = "shutting-down"
	stateTerminated   = "terminated"
)

// Terminated reports whether the instance is terminated, or shutting down.
func (i *Instance) Terminated() bool {
	return i.State == stateTerminated || i.State == stateShuttingDown
}

// starting reports whether the instance was started so recently that its agent
// need not have reported yet.
func (v *view) starting() bool {
	instance, known := v.Instance.Get()
	return known && (instance.State == statePending || instance.State == stateRunning && v.Now.Sub(instance.Launched) < startsWithin)
}

// instanceStarting is what to report about it and its agent meanwhile.
func instanceStarting(v *view, name Name) Check {
	return warn(name, InstanceStarting, fmt.Sprintf("Instance %s was started a moment ago.", v.Node.ID), "Wait some minutes for its agent to report.")
}

// metadataDisabled is HttpEndpoint of an instance without metadata service,
// tokensRequired HttpTokens of one with version 2 only.
const (
	metadataDisabled = "disabled"
	tokensRequired   = "required"
)

// requireTokens is what to do about an instance that still allows version 1.
const requireTokens = "Require version 2 with aws ec2 modify-instance-metadata-options --http-tokens required."

func instanceState(v *view) Check {
	var missing gaps
	instance, known := need(&missing, v.Instance)
	id := v.Node.ID
	switch {
	case !known:
		return missing.check(CheckInstanceState)
	case instance.State == "":
		return fail(CheckInstanceState, InstanceNotFound,
			fmt.Sprintf("Instance %s does not exist in %s.", id, v.Node.Region),
			"Correct the id, the region or the account, or take the target away.")
	case v.starting():
		return instanceStarting(v, CheckInstanceState)
	case instance.Terminated():
		return fail(CheckInstanceState, InstanceNotRunning,
			fmt.Sprintf("Instance %s is %s, and cannot be started again.", id, instance.State),
			"Take the target away, or name the instance that has replaced it.")
	case instance.State != stateRunning:
		return fail(CheckInstanceState, InstanceNotRunning,
			fmt.Sprintf("Instance %s is %s.", id, instance.State),
			"Start the instance, or take the target away.")
	default:
		return pass(CheckInstanceState)
	}
}

func metadataService(v *view) Check {
	var missing gaps
	instance, known := need(&missing, v.Instance)
	switch {
	case !known:
		return missing.check(CheckMetadataService)
	case instance.State == "":
		missing.notRead()
		return missing.check(CheckMetadataService)
	case instance.Metadata.Endpoint == metadataDisabled:
		return fail(CheckMetadataService, MetadataServiceOff,
			fmt.Sprintf("The metadata service of instance %s is off, so its agent gets no credentials.", v.Node.ID),
			"Enable it with aws ec2 modify-instance-metadata-options --http-endpoint enabled --http-tokens required.")
	default:
		return pass(CheckMetadataService)
	}
}

// instanceProfile is whether the agent gets a role: that of the profile, or
// that of default host management.
func instanceProfile(v *view) Check {
	var missing gaps
	instance, known := need(&missing, v.Instance)
	if !known || instance.State == "" {
		if known {
			missing.notRead()
		}
		return missing.check(CheckInstanceProfile)
	}
	if instance.ProfileARN == "" {
		return hostManagement(v, &instance)
	}
	role, known := need(&missing, v.Role)
	switch {
	case !known:
		return missing.check(CheckInstanceProfile)
	case role.Name == "":
		return v.orManaged(fail(CheckInstanceProfile, ProfileWithoutRole,
			fmt.Sprintf("Instance profile %s of %s does not exist any more or holds no role.", instance.ProfileARN, v.Node.ID),
			"Put a role with AmazonSSMManagedInstanceCore into it. "+roleTakesTime))
	default:
		return pass(CheckInstanceProfile)
	}
}

// hostManagement judges an instance without profile.
func hostManagement(v *view, instance *Instance) Check {
	var missing gaps
	role, known := need(&missing, v.DefaultRole)
	version, reported := v.agentVersion()
	switch {
	case !known:
		return missing.check(CheckInstanceProfile)
	case role.Name == "":
		return fail(CheckInstanceProfile, NoInstanceProfile,
			fmt.Sprintf("Instance %s has no instance profile, and default host management is off in %s.", v.Node.ID, v.Node.Region),
			"Attach an instance profile whose role has AmazonSSMManagedInstanceCore, or turn default host management on with aws ssm register-default-host-management-configuration --permission-model SERVICE_MANAGED. "+roleTakesTime)
	case reported && version.Before(sinceHostManagement):
		return fail(CheckInstanceProfile, HostManagementNeedsNewerAgent,
			fmt.Sprintf("Instance %s has no instance profile, and its agent %s is too old for default host management.", v.Node.ID, version),
			fmt.Sprintf("Update the agent to %s or later, or attach an instance profile.", sinceHostManagement))
	case instance.Metadata.Tokens != tokensRequired:
		return warn(CheckInstanceProfile, HostManagementNeedsIMDSv2,
			fmt.Sprintf("Instance %s depends on default host management, and its metadata service still allows version 1.", v.Node.ID),
			requireTokens)
	case !reported:
		return agentUnseen(v, CheckInstanceProfile)
	default:
		return pass(CheckInstanceProfile)
	}
}

// agentUnseen is a check that needs the version of an agent that gave none.
func agentUnseen(v *view, name Name) Check {
	var missing gaps
	if agent, known := need(&missing, v.agent); known {
		if agent.Registered {
			return notUnderstood(name, fmt.Sprintf("the version %q of the agent", agent.Version))
		}
		missing.notRead()
	}
	return missing.check(name)
}
